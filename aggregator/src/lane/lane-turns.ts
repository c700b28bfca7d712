import { setImmediate } from 'node:timers/promises'
import type { Lease } from '@hopper/storage'
import { LaneWork } from './lane-work.ts'

/** Owned lane. */
export interface TurnLane {
  /** returns a lease whose end is always the current one */
  currentLease(): Lease
}

/**
 * Runs background work on lanes in turns: each lane does one step, until none has anything left to do. Only one step
 * runs at a time, so the memory of one step bounds the whole.
 */
export class LaneTurns<L extends TurnLane> {
  readonly #work = new LaneWork()
  /** does one step; returns whether there may be more to do. Never rejects */
  readonly #step: (lane: L) => Promise<boolean>

  constructor(step: (lane: L) => Promise<boolean>) {
    this.#step = step
  }

  /** Works until no lane has anything left to do. Concurrent calls share one run. Never rejects. */
  run(lanes: () => Iterable<L>): Promise<void> {
    return this.#work.run(() => this.#run(lanes))
  }

  /** Resolves when the step of a lane has ended; call it after the lane was given away. */
  whenIdle(lane: number): Promise<void> {
    return this.#work.whenIdle(lane)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => Iterable<L>): Promise<void> {
    for (let worked = true; worked && !this.#work.isClosed;) {
      worked = false
      for (const lane of [...lanes()]) {
        // A lane may be revoked during the turns of the lanes before it.
        const isOwned = !this.#work.isClosed && [...lanes()].includes(lane)
        if (isOwned && (await this.#work.step(lane.currentLease().lane, () => this.#step(lane)))) worked = true
        // SQLite answers synchronously, so other work of the thread gets its turn here.
        await setImmediate()
      }
    }
  }
}
