const SETTLED_MS = 60_000

/** Tracks whether the server announces changes, and how often answers are polled that it does not announce. */
export class ChangeSignal {
  isConnected = false
  /** interval of polling answers that only late events change; false to ask once */
  settledMs: number | false = SETTLED_MS
  /** interval of polling while the server announces nothing */
  readonly pollMs: number

  constructor(pollMs: number) {
    this.pollMs = pollMs
  }
}
