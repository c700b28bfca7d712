import { setImmediate } from 'node:timers/promises'

/**
 * Work on lanes in the background: each lane in turn does one step, until none has anything to do. One step is under
 * way at a time, so that what it takes is bounded by that of one.
 */
export class LaneTurns<L> {
  readonly #numberOf: (lane: L) => number
  /** answers whether there may be more to do; never rejects */
  readonly #step: (lane: L) => Promise<boolean>
  readonly #steps = new Map<number, Promise<unknown>>()
  #running: Promise<void> | undefined
  #closed = false

  constructor(numberOf: (lane: L) => number, step: (lane: L) => Promise<boolean>) {
    this.#numberOf = numberOf
    this.#step = step
  }

  /** Works until no lane has anything to do. Calls at the same time share one run. Never rejects. */
  run(lanes: () => Iterable<L>): Promise<void> {
    this.#running ??= this.#run(lanes).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Resolves when the step of a lane has ended; to be called once the lane is not ours any more. */
  async left(lane: number): Promise<void> {
    await this.#steps.get(lane)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  async #run(lanes: () => Iterable<L>): Promise<void> {
    for (let worked = true; worked && !this.#closed; ) {
      worked = false
      for (const lane of [...lanes()]) {
        // A lane may be taken away while those before it have their turns.
        const isOurs = !this.#closed && [...lanes()].includes(lane)
        if (isOurs && (await this.#turn(lane))) worked = true
        // SQLite answers within the turn of the thread, which others wait for.
        await setImmediate()
      }
    }
  }

  async #turn(lane: L): Promise<boolean> {
    const number = this.#numberOf(lane)
    const step = this.#step(lane)
    this.#steps.set(number, step)
    try {
      return await step
    } finally {
      this.#steps.delete(number)
    }
  }
}
