import type { Archive, Lease } from '@hopper/storage'
import { LaneMerges, type Merged } from './lane-merges.ts'
import { MergeThread, type SpanMerger } from './merge-thread.ts'

/** A lane that is ours. */
interface MergingLane {
  readonly lease: Lease
  readonly merges: LaneMerges | undefined
}

export interface BackgroundMergesOptions {
  readonly archive: Archive
  /** the ids of all apps */
  readonly apps: () => Promise<readonly string[]>
  readonly merger: SpanMerger | undefined
  readonly logger: { error(details: object, message: string): void } | undefined
  readonly merged: (merged: Merged) => void
}

/** The merging of all lanes of an aggregator, one merge at a time, lane by lane, so that its memory is that of one. */
export class BackgroundMerges {
  readonly #options: BackgroundMergesOptions
  readonly #merger: SpanMerger
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: BackgroundMergesOptions) {
    this.#options = options
    this.#merger = options.merger ?? new MergeThread()
  }

  of(lane: number): LaneMerges {
    const { archive, apps } = this.#options
    return new LaneMerges(archive, lane, this.#merger, apps)
  }

  /** Merges until no lane has anything to merge now. Calls at the same time share one run. Never rejects. */
  run(lanes: () => Iterable<MergingLane>): Promise<void> {
    this.#running ??= this.#run(lanes).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Ends the merge under way; what it would have put in place is not. */
  async close(): Promise<void> {
    this.#closed = true
    if (!this.#options.merger) await this.#merger.close()
    await this.#running
  }

  async #run(lanes: () => Iterable<MergingLane>): Promise<void> {
    for (let worked = true; worked && !this.#closed; ) {
      worked = false
      for (const lane of [...lanes()]) if (await this.#step(lane)) worked = true
    }
  }

  async #step(lane: MergingLane): Promise<boolean> {
    try {
      const done = await lane.merges?.step(() => lane.lease)
      if (done && done !== 'looked') this.#options.merged(done)
      return done !== undefined
    } catch (error) {
      this.#options.logger?.error({ lane: lane.lease.lane, err: error }, 'spans could not be merged and stay as they are')
      return false
    }
  }
}
