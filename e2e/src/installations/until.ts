const PAUSE_MS_MIN = 25
const PAUSE_MS_MAX = 250

/**
 * Resolves when the condition holds; rejects after `boundMs`, or with the error that the condition throws. The longer
 * it has waited, the less often it asks: asking costs the installation time, too.
 */
export async function until(condition: () => Promise<boolean> | boolean, boundMs: number): Promise<void> {
  const start = performance.now()
  while (!(await condition())) {
    const waitedMs = performance.now() - start
    if (waitedMs > boundMs)
      throw new Error(`condition not met within ${boundMs} ms: ${condition.toString().slice(0, 200)}`)
    const pauseMs = Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, waitedMs / 8))
    await new Promise((next) => setTimeout(next, pauseMs))
  }
}
