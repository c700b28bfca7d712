/**
 * Background work on lanes: one run at a time, which whoever is about to give a lane away, or to close, can wait for.
 */
export class LaneWork {
  readonly #steps = new Map<number, Promise<unknown>>()
  #running: Promise<void> | undefined
  #closed = false

  get isClosed(): boolean {
    return this.#closed
  }

  /** Runs the work, or shares the run that is under way. */
  run(work: () => Promise<void>): Promise<void> {
    this.#running ??= work().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Does a step of the work on a lane; one at a time for each lane. */
  async step<T>(lane: number, work: () => Promise<T>): Promise<T> {
    const step = work()
    this.#steps.set(lane, step)
    try {
      return await step
    } finally {
      this.#steps.delete(lane)
    }
  }

  /** Resolves when the step of a lane has ended; to be called once the lane is not ours any more. */
  async left(lane: number): Promise<void> {
    await this.#steps.get(lane)
  }

  /** Begins nothing more; resolves when the run under way has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }
}
