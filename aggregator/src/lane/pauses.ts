/** Lets work wait until a pause is over, and a pause until the work in flight has ended. */
export class Pauses {
  #active = 0
  #idle: (() => void) | undefined
  #pause: Promise<void> | undefined

  /** Runs work outside of pauses. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    while (this.#pause) await this.#pause
    this.#active++
    try {
      return await work()
    } finally {
      if (--this.#active === 0) this.#idle?.()
    }
  }

  /**
   * Runs work while nothing else runs: it waits for work in flight, and later work waits for it. One pause at a time.
   */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    while (this.#pause) await this.#pause
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#pause = promise
    try {
      if (this.#active > 0) await new Promise<void>((idle) => (this.#idle = idle))
      return await work()
    } finally {
      this.#idle = undefined
      this.#pause = undefined
      resolve()
    }
  }
}
