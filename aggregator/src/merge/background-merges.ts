import type { Archive } from '@hopper/storage'
import { LaneTurns, type TurnLane } from '../lane/lane-turns.ts'
import { LaneMerges, type Merged } from './lane-merges.ts'
import { MergeThread, type SpanMerger } from './merge-thread.ts'

/** Lane with spans that are merged. */
interface MergingLane extends TurnLane {
  readonly merges: LaneMerges | undefined
}

export interface BackgroundMergesOptions {
  readonly archive: Archive
  /** returns the ids of all apps */
  readonly apps: () => Promise<readonly string[]>
  readonly merger: SpanMerger | undefined
  readonly logger: { error(details: object, message: string): void } | undefined
  readonly onMerged: (onMerged: Merged) => void
}

/**
 * Merges spans of all lanes of an aggregator, one merge at a time, lane by lane, so that it needs the memory of one
 * merge only.
 */
export class BackgroundMerges {
  readonly #options: BackgroundMergesOptions
  readonly #merger: SpanMerger
  readonly #turns = new LaneTurns<MergingLane>((lane) => this.#step(lane))

  constructor(options: BackgroundMergesOptions) {
    this.#options = options
    this.#merger = options.merger ?? new MergeThread()
  }

  of(lane: number): LaneMerges {
    const { archive, apps } = this.#options
    return new LaneMerges(archive, lane, this.#merger, apps)
  }

  /** Merges until no lane has anything left to merge now. Concurrent calls share one run. Never rejects. */
  run(lanes: () => Iterable<MergingLane>): Promise<void> {
    return this.#turns.run(lanes)
  }

  /** Aborts the merge in flight: its result is not put in place. */
  async close(): Promise<void> {
    const closing = this.#turns.close()
    if (!this.#options.merger) await this.#merger.close()
    await closing
  }

  async #step(lane: MergingLane): Promise<boolean> {
    try {
      const done = await lane.merges?.step(() => lane.currentLease())
      if (done && done !== 'checked') this.#options.onMerged(done)
      return done !== undefined
    } catch (error) {
      this.#options.logger?.error(
        { lane: lane.currentLease().lane, err: error },
        'spans could not be merged and stay as they are',
      )
      return false
    }
  }
}
