import { setImmediate } from 'node:timers/promises'

/**
 * Runs work on the thread that serves HTTP in short slices: at most one begins in each turn of the event loop, for any
 * number of streams. A slice that waits does not delay the next one.
 */
export class Slices {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#last.then(() => setImmediate())
    this.#last = turn
    return turn.then(work)
  }
}
