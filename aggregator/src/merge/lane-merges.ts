import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import type { Archive, Lease, Partition, SpanKey } from '@hopper/storage'
import { selectMerge, FAN_IN, FAN_IN_OVER } from './select-merge.ts'
import { MergeQueue, type Due } from './merge-queue.ts'
import type { SpanMerger } from './merge-thread.ts'
import { isOver, lastOfMonth, spansOfDate, spansOfMonth, type StoredSpan } from './stored-span.ts'
import { unmergedPartitions } from './unmerged-partitions.ts'

/** What one merge did. */
export interface Merged {
  readonly partition: Partition
  readonly spans: number
  readonly rows: number
  /** of the cells that were read, and of those that took their place */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * The merging of one lane: small spans become long ones, behind the back of the fold. What it does is exact by
 * `Archive.replace` alone.
 */
export class LaneMerges {
  readonly #archive: Archive
  readonly #lane: number
  readonly #merger: SpanMerger
  readonly #agenda = new MergeQueue()
  #left: AsyncGenerator<readonly Partition[]> | undefined
  #closed = false
  #replacing: Promise<unknown> = Promise.resolve()

  /** `apps`: whose leftovers of an earlier owner to look for */
  constructor(
    archive: Archive,
    lane: number,
    merger: SpanMerger,
    apps: () => Promise<readonly string[]>,
    now = Date.now(),
  ) {
    this.#archive = archive
    this.#lane = lane
    this.#merger = merger
    this.#left = unmergedPartitions(archive, lane, apps, now)
  }

  appended(partition: Partition): void {
    this.#agenda.appended(partition, Date.now())
  }

  /**
   * Merges once, or looks through one window of what an earlier owner left. Answers what was merged, `undefined` when
   * there is nothing to do now. Rejects when the merge failed: nothing has changed then, and it is put off.
   */
  async step(lease: () => Lease, now = Date.now()): Promise<Merged | 'looked' | undefined> {
    if (this.#closed) return undefined
    const due = this.#agenda.next(now)
    if (!due) return this.#lookBack()
    try {
      const run = await this.#runOf(due, now)
      if (run) return await this.#merge(due, run, lease)
      this.#agenda.looked(due)
      return 'looked'
    } catch (error) {
      this.#agenda.failed(due, now)
      if (this.#closed) return undefined
      throw error
    }
  }

  /** Resolves when nothing of it can be written any more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#replacing
  }

  /**
   * What to merge of a date; when it is over and there is nothing, of the dates of its month that are: a small site has
   * little on each.
   */
  async #runOf({ partition, fanIn }: Due, now: number): Promise<readonly StoredSpan[] | undefined> {
    const run = selectMerge(await spansOfDate(this.#archive, this.#lane, partition), fanIn)
    if (run || fanIn !== FAN_IN_OVER) return run
    return selectMerge(
      await spansOfMonth(this.#archive, this.#lane, partition, now),
      isOver(lastOfMonth(partition.date), now) ? FAN_IN_OVER : FAN_IN,
    )
  }

  async #lookBack(): Promise<'looked' | undefined> {
    const found = await this.#left?.next()
    if (!found || found.done) {
      this.#left = undefined
      return undefined
    }
    for (const partition of found.value) this.#agenda.found(partition)
    return 'looked'
  }

  async #merge({ partition }: Due, run: readonly StoredSpan[], lease: () => Lease): Promise<Merged | undefined> {
    const chunks: EncodedChunk[] = []
    for (const summary of run.flatMap((span) => span.chunks)) chunks.push(await this.#fetch(summary))
    if (this.#closed) return undefined
    const merged = await this.#merger.merge(chunks)
    if (this.#closed) return undefined
    const replaced = this.#archive.replace(lease(), run.map(keyOf), merged)
    this.#replacing = replaced.catch(() => undefined)
    await replaced
    const sum = (of: (span: StoredSpan) => number): number => run.reduce((total, span) => total + of(span), 0)
    const bytesAfter = merged.reduce(
      (bytes, { columns }) => [...columns.values()].reduce((total, cell) => total + cell.length, bytes),
      0,
    )
    return {
      partition,
      spans: run.length,
      rows: sum(({ rows }) => rows),
      bytesBefore: sum(({ bytes }) => bytes),
      bytesAfter,
    }
  }

  async #fetch(summary: ChunkSummary): Promise<EncodedChunk> {
    return { summary, columns: await this.#archive.columns(summary, Object.keys(summary.columns)) }
  }
}

function keyOf({ chunks }: StoredSpan): SpanKey {
  const { app, date, lane, first_position, last_position } = chunks[0]!
  return { app, date, lane, first_position, last_position }
}
