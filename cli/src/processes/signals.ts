const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof signals)[number]

/** One Ctrl-C arrives several times: from the terminal, and again from every npm and script in between. */
const SAME_KEYSTROKE_MS = 1_000

/** Resolves with the first signal that stops the process. From then on, no signal kills it by default. */
export function nextSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, resolve)
  })
}

/** Calls back on a second signal that clearly follows the first. */
export function onRepeatedSignal(callback: () => void): void {
  const firstMs = performance.now()
  for (const signal of signals) {
    process.on(signal, () => {
      if (performance.now() - firstMs > SAME_KEYSTROKE_MS) callback()
    })
  }
}
