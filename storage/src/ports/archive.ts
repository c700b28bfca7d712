import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import type { Lease, Partition } from './tables.ts'

/** Names a span: all its parts together. */
export type SpanKey = Pick<ChunkSummary, 'app' | 'date' | 'lane' | 'first_position' | 'last_position'>

/** Names a chunk. */
export type ChunkKey = SpanKey & Pick<ChunkSummary, 'part'>

/** Chunks that overlap a time range. */
export interface ChunkRange {
  readonly app: string
  /** ms, included */
  readonly from: number
  /** ms, not included */
  readonly to: number
  /** one lane, or all */
  readonly lane?: number
}

/**
 * All events, as immutable chunks of columns. What is in it exactly once is told by positions: the spans of one (app,
 * date, lane) never overlap for a reader, and a span covers every event of its partition between its first and last
 * position.
 */
export interface Archive {
  /**
   * The last position that each partition of a lane covers, -1 where it has nothing: events up to it must not be
   * appended again.
   */
  covered(lane: number, partitions: readonly Partition[]): Promise<readonly number[]>
  /**
   * Makes whole spans visible, each with all its parts or not at all. A span of several dates is of one month and says
   * what it covers of each. One that begins at or before what a partition of it covers is refused. Rejects before
   * writing when the lease has run out; when it rejects later, some spans may be visible: the caller asks `covered`
   * again.
   */
  append(lease: Lease, chunks: readonly EncodedChunk[]): Promise<void>
  /**
   * Puts one merged span in the place of the spans it was made of, in one step for every reader: a reader that listed
   * before still finds the columns of the old chunks for ten minutes, one that lists after sees only the new. Rejects,
   * changing nothing, when one of the old is gone. All spans are of one app and lane and of dates in one month.
   */
  replace(lease: Lease, old: readonly SpanKey[], merged: readonly EncodedChunk[]): Promise<void>
  /**
   * The visible chunks whose times overlap the range, parts of a span together and in order. One answer is one
   * consistent view of each lane.
   */
  list(range: ChunkRange): Promise<readonly ChunkSummary[]>
  /** The cells of some columns of a chunk; a column that the chunk does not have is missing. */
  columns(chunk: ChunkKey, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
}
