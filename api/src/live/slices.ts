import { setImmediate } from 'node:timers/promises'

/**
 * Runs work on the thread that serves HTTP in short slices: one begins in each turn of the event loop, however many
 * streams want some. What a slice waits for does not delay the next one.
 */
export class Slices {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(() => setImmediate())
    this.#last = turn
    return turn.then(work)
  }
}
