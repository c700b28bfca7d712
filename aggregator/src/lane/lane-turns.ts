import { setImmediate } from 'node:timers/promises'
import type { Lease } from '@hopper/storage'
import { LaneWork } from './lane-work.ts'

/** A lane that is ours. */
export interface TurnLane {
  /** the lease with the end that it has at each look */
  lasting(): Lease
}

/**
 * Work on lanes in turns: each lane in turn does one step, until none has anything to do. One step is under way at a
 * time, so that what it takes is bounded by that of one.
 */
export class LaneTurns<L extends TurnLane> {
  readonly #work = new LaneWork()
  /** answers whether there may be more to do; never rejects */
  readonly #step: (lane: L) => Promise<boolean>

  constructor(step: (lane: L) => Promise<boolean>) {
    this.#step = step
  }

  /** Works until no lane has anything to do. Calls at the same time share one run. Never rejects. */
  run(lanes: () => Iterable<L>): Promise<void> {
    return this.#work.run(() => this.#run(lanes))
  }

  /** Resolves when the step of a lane has ended; to be called once the lane is not ours any more. */
  left(lane: number): Promise<void> {
    return this.#work.left(lane)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => Iterable<L>): Promise<void> {
    for (let worked = true; worked && !this.#work.isClosed;) {
      worked = false
      for (const lane of [...lanes()]) {
        // A lane may be taken away while those before it have their turns.
        const isOurs = !this.#work.isClosed && [...lanes()].includes(lane)
        if (isOurs && (await this.#work.step(lane.lasting().lane, () => this.#step(lane)))) worked = true
        // SQLite answers within the turn of the thread, which others wait for.
        await setImmediate()
      }
    }
  }
}
