/** Measures the number of messages per request: those of a request are acknowledged in one turn of the event loop. */
export class Groups {
  #messages = 0
  #requests = 0
  #sameTurn = false

  count<T extends readonly unknown[]>(acknowledged: T): T {
    this.#messages += acknowledged.length
    if (!this.#sameTurn) {
      this.#requests++
      this.#sameTurn = true
      setImmediate(() => (this.#sameTurn = false))
    }
    return acknowledged
  }

  /** Returns the mean since the previous call. */
  mean(): number {
    const mean = this.#messages / Math.max(this.#requests, 1)
    this.#messages = this.#requests = 0
    return mean
  }
}
