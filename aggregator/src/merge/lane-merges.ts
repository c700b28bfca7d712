import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import type { Archive, Lease, Partition, SpanKey } from '@hopper/storage'
import { Pauses } from '../lane/pauses.ts'
import { selectMerge, FAN_IN, FAN_IN_PAST } from './select-merge.ts'
import { MergeQueue, type DueCheck } from './merge-queue.ts'
import type { SpanMerger } from './merge-thread.ts'
import { hasEnded, lastOfMonth, spansOfDate, spansOfMonth, type StoredSpan } from './stored-span.ts'
import { unmergedPartitions } from './unmerged-partitions.ts'

/** Result of one merge. */
export interface Merged {
  readonly partition: Partition
  readonly spans: number
  readonly rows: number
  /** size of the cells that were read, and of those that replaced them */
  readonly bytesBefore: number
  readonly bytesAfter: number
}

/**
 * Merges the spans of one lane: small spans become long ones, concurrently with the fold. Exactness rests on
 * `Archive.replace` alone.
 */
export class LaneMerges {
  readonly #archive: Archive
  readonly #lane: number
  readonly #merger: SpanMerger
  readonly #queue = new MergeQueue()
  #unmerged: AsyncGenerator<readonly Partition[]> | undefined
  readonly #pauses = new Pauses()
  #closed = false
  #replacing: Promise<unknown> = Promise.resolve()

  /** `apps` returns the apps to search for spans that an earlier owner left unmerged. */
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
    this.#unmerged = unmergedPartitions(archive, lane, apps, now)
  }

  appended(partition: Partition): void {
    this.#queue.appended(partition, Date.now())
  }

  /**
   * Performs one merge, or searches one window of time for spans that an earlier owner left unmerged. Returns the
   * merge, 'checked' when nothing was merged but there may be more to do, `undefined` when there is nothing to do now.
   * Rejects when the merge failed: nothing has changed then, and the merge is postponed.
   */
  step(lease: () => Lease, now = Date.now()): Promise<Merged | 'checked' | undefined> {
    return this.#pauses.during(() => this.#step(lease, now))
  }

  /** Runs work that replaces spans itself, while no merge runs: a merge has read spans that it replaces later. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.#pauses.pause(work)
  }

  async #step(lease: () => Lease, now: number): Promise<Merged | 'checked' | undefined> {
    if (this.#closed) return undefined
    const due = this.#queue.next(now)
    if (!due) return this.#findUnmerged()
    try {
      const run = await this.#runOf(due, now)
      if (run) return await this.#merge(due, run, lease)
      this.#queue.checked(due)
      return 'checked'
    } catch (error) {
      this.#queue.failed(due, now)
      if (this.#closed) return undefined
      throw error
    }
  }

  /** Resolves when no write of a merge is in flight any more. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#replacing
  }

  /**
   * Selects spans of a date to merge. For a past date without any, selects among all past dates of its month: a small
   * site has few events on each date.
   */
  async #runOf({ partition, fanIn }: DueCheck, now: number): Promise<readonly StoredSpan[] | undefined> {
    const run = selectMerge(await spansOfDate(this.#archive, this.#lane, partition), fanIn)
    if (run || fanIn !== FAN_IN_PAST) return run
    return selectMerge(
      await spansOfMonth(this.#archive, this.#lane, partition, now),
      hasEnded(lastOfMonth(partition.date), now) ? FAN_IN_PAST : FAN_IN,
    )
  }

  async #findUnmerged(): Promise<'checked' | undefined> {
    const found = await this.#unmerged?.next()
    if (!found || found.done) {
      this.#unmerged = undefined
      return undefined
    }
    for (const partition of found.value) this.#queue.add(partition)
    return 'checked'
  }

  async #merge({ partition }: DueCheck, run: readonly StoredSpan[], lease: () => Lease): Promise<Merged | undefined> {
    const chunks: EncodedChunk[] = []
    for (const summary of run.flatMap((span) => span.chunks)) chunks.push(await this.#fetch(summary))
    if (this.#closed) return undefined
    const merged = await this.#merger.merge(chunks)
    if (this.#closed) return undefined
    const replaced = this.#archive.replace(lease(), run.map(keyOf), merged)
    this.#replacing = replaced.catch(() => undefined)
    await replaced
    const sum = (valueOf: (span: StoredSpan) => number): number => run.reduce((total, span) => total + valueOf(span), 0)
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
