import type { Context } from '../events/envelope.ts'
import type { Event } from '../events/event.ts'

/** An event as the archive keeps it. Its place in the log is (lane, position, index). */
export interface ArchivedEvent {
  readonly event: Event
  readonly device_id: string
  /** the user_id in effect when the event was counted, '' = anonymous */
  readonly user: string
  readonly context: Context
  /** ms since the epoch */
  readonly received_at: number
  /** position of its envelope in the lane */
  readonly position: number
  /** place in that envelope */
  readonly index: number
}

/**
 * What a chunk belongs to and which positions of its lane it answers for: every event of (app, date) between them is in
 * its parts.
 */
export interface ChunkCover {
  readonly app: string
  /** the app's local date of its events; of a merged span, the first of them */
  readonly date: string
  readonly lane: number
  readonly first_position: number
  readonly last_position: number
}

/** All that a reader must know of a chunk before it fetches a column. */
export interface ChunkSummary extends ChunkCover {
  /** A span larger than one chunk has several parts, 0..parts-1, ascending by device hash. */
  readonly part: number
  readonly parts: number
  readonly rows: number
  readonly devices: number
  readonly min_time: number
  readonly max_time: number
  /** the first and last device hash, 16 hex digits each */
  readonly first_device: string
  readonly last_device: string
  /** bytes of each column's cell; a key that no event has is missing */
  readonly columns: Readonly<Record<string, number>>
  /**
   * every value of columns that have few, so that a reader can skip the chunk; `null` stands for events without the key
   */
  readonly values: Readonly<Record<string, readonly (string | number | boolean | null)[]>>
}

/** What a span answers for of one of its dates: every event of the date between these positions of the lane. */
export interface DateCover {
  readonly date: string
  readonly first_position: number
  readonly last_position: number
}

/** A chunk as it is stored: one cell a column, each one zstd frame of an Arrow IPC stream. */
export interface EncodedChunk {
  readonly summary: ChunkSummary
  /**
   * of a span that is appended with events of several dates of one month: what it covers of each; without it, of the
   * date of its summary
   */
  readonly dates?: readonly DateCover[]
  readonly columns: ReadonlyMap<string, Uint8Array>
}
