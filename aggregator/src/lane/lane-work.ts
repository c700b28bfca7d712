/**
 * Runs background work on lanes, one run at a time. A caller that is about to give a lane away, or to close, can wait
 * for it.
 */
export class LaneWork {
  readonly #steps = new Map<number, Promise<unknown>>()
  #running: Promise<void> | undefined
  #closed = false

  get isClosed(): boolean {
    return this.#closed
  }

  /** Runs the work, or joins the run in flight. */
  run(work: () => Promise<void>): Promise<void> {
    this.#running ??= work().finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Runs a step of the work on a lane; each lane has at most one step at a time. */
  async step<T>(lane: number, work: () => Promise<T>): Promise<T> {
    const step = work()
    this.#steps.set(lane, step)
    try {
      return await step
    } finally {
      this.#steps.delete(lane)
    }
  }

  /** Resolves when the step of a lane has ended; call it after the lane was given away. */
  async whenIdle(lane: number): Promise<void> {
    await this.#steps.get(lane)
  }

  /** Starts no further work; resolves when the run in flight has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }
}
