import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import type { Lease, Partition } from './tables.ts'

/** Identifies a span, with all its parts. */
export type SpanKey = Pick<ChunkSummary, 'app' | 'date' | 'lane' | 'first_position' | 'last_position'>

/**
 * Identifies a chunk and its content: a span without the events of a person has the same positions as before, and fewer
 * rows.
 */
export type ChunkKey = SpanKey & Pick<ChunkSummary, 'part' | 'rows'>

/** Chunks that overlap a time range. */
export interface ChunkRange {
  readonly app: string
  /** ms, inclusive */
  readonly from: number
  /** ms, exclusive */
  readonly to: number
  /** one lane, or all */
  readonly lane?: number
}

/**
 * All events, as immutable chunks of columns. Positions ensure that each event is in it exactly once: for a reader, the
 * spans of one (app, date, lane) never overlap, and a span covers every event of its partition between its first and
 * last position.
 */
export interface Archive {
  /**
   * The last position that each partition of a lane covers, -1 if it has nothing. Events up to that position must not
   * be appended again.
   */
  covered(lane: number, partitions: readonly Partition[]): Promise<readonly number[]>
  /**
   * Makes whole spans visible, each with all its parts or not at all. A span of several dates lies within one month and
   * states what it covers of each date. A span that begins at or before the covered position of one of its partitions
   * is refused.
   * Rejects before writing when the lease has expired. When it rejects later, some spans may be visible: the caller
   * must call `covered` again.
   */
  append(lease: Lease, chunks: readonly EncodedChunk[]): Promise<void>
  /**
   * Replaces spans by the one span merged from them, atomically for every reader. A reader that listed before still
   * finds the columns of the old chunks for ten minutes; one that lists afterwards sees only the new span. Rejects
   * without any change when one of the old spans no longer exists. All spans have the same app and lane, and their
   * dates lie in one month. Without merged chunks the old spans are removed: then nothing of their events remains, and
   * the positions stay covered.
   */
  replace(lease: Lease, old: readonly SpanKey[], merged: readonly EncodedChunk[]): Promise<void>
  /**
   * Deletes the cells of an app in the lane that are not visible, without waiting for readers that listed before.
   * Called by the lane's owner while it replaces and appends nothing.
   */
  purge(lease: Lease, app: string): Promise<void>
  /**
   * The visible chunks whose times overlap the range; parts of a span are adjacent and in order. One result is one
   * consistent view of each lane.
   */
  list(range: ChunkRange): Promise<readonly ChunkSummary[]>
  /**
   * The cells of some columns of a chunk. Columns that the chunk does not have are missing in the result, and all of
   * them when the chunk is gone, or the call rejects.
   */
  columns(chunk: ChunkKey, names: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>
}
