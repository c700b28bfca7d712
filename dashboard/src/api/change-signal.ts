/** Tracks whether the server announces changes; while it does not, answers are polled. */
export class ChangeSignal {
  isConnected = false
  /** interval of polling */
  readonly pollMs: number

  constructor(pollMs: number) {
    this.pollMs = pollMs
  }
}
