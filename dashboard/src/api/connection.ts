/** Tracks whether Hopper answers: one state for the whole page, so that an outage is shown once. */
export class Connection {
  #isDown = false
  readonly #listeners = new Set<() => void>()

  get isDown(): boolean {
    return this.#isDown
  }

  /** Records that a call was answered or not. */
  report(answered: boolean): void {
    if (this.#isDown === !answered) return
    this.#isDown = !answered
    for (const listener of this.#listeners) listener()
  }

  /** Calls the listener after each change; returns a function that ends this. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
