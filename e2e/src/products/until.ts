/** Resolves when the condition holds; rejects after `boundMs`, or with the error that the condition throws. */
export async function until(condition: () => Promise<boolean> | boolean, boundMs: number): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await condition())) {
    if (performance.now() > end)
      throw new Error(`condition not met within ${boundMs} ms: ${condition.toString().slice(0, 200)}`)
    await new Promise((next) => setTimeout(next, 25))
  }
}
