const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
export type StopSignal = (typeof signals)[number]

/** One Ctrl-C arrives several times: from the terminal, and again from every npm and script in between. */
const SAME_KEYSTROKE_MS = 1_000

/** Resolves with the first signal that asks the process to end; from then on no signal ends it by itself. */
export function nextSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, resolve)
  })
}

/** Calls back when a person insists: a signal that comes clearly after the first. */
export function onRepeatedSignal(callback: () => void): void {
  const firstMs = performance.now()
  for (const signal of signals) {
    process.on(signal, () => {
      if (performance.now() - firstMs > SAME_KEYSTROKE_MS) callback()
    })
  }
}
