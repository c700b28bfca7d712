import type { Context } from '../events/envelope.ts'
import type { Event } from '../events/event.ts'

/** An event as stored in the archive. Its place in the log is (lane, position, index). */
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
  /** index within that envelope */
  readonly index: number
}

/**
 * App, date and lane of a chunk, and the range of positions that it covers: every event of (app, date) in the range is
 * in one of its parts.
 */
export interface ChunkCover {
  readonly app: string
  /** local date of its events in the time zone of the app; for a merged span the earliest one */
  readonly date: string
  readonly lane: number
  readonly first_position: number
  readonly last_position: number
}

/** Everything a reader needs to know about a chunk before it fetches a column. */
export interface ChunkSummary extends ChunkCover {
  /** a span larger than one chunk has several parts, 0..parts-1, ascending by device hash */
  readonly part: number
  readonly parts: number
  readonly rows: number
  readonly devices: number
  readonly min_time: number
  readonly max_time: number
  /** the first and last device hash, 16 hex digits each */
  readonly first_device: string
  readonly last_device: string
  /** bytes of each column's cell; keys that no event has are absent */
  readonly columns: Readonly<Record<string, number>>
  /**
   * all values of the columns with few distinct values, so that a reader can skip the chunk; `null` represents events
   * without the key
   */
  readonly values: Readonly<Record<string, readonly (string | number | boolean | null)[]>>
  /** its events that came by `PUT /events`; absent when it has none */
  readonly puts?: PutsSummary
}

/** Facts about the put events of a chunk that a reader knows before it fetches a column. */
export interface PutsSummary {
  readonly rows: number
  /** the latest time of receipt, ms since the epoch */
  readonly last_received: number
}

/** Coverage of one date of a span: every event of the date between these positions of the lane is in the span. */
export interface DateCover {
  readonly date: string
  readonly first_position: number
  readonly last_position: number
}

/** A chunk as stored: one cell per column, each a zstd frame of an Arrow IPC stream. */
export interface EncodedChunk {
  readonly summary: ChunkSummary
  /**
   * coverage per date, for an appended span with events of several dates of one month; if absent, the span covers only
   * the date of its summary
   */
  readonly dates?: readonly DateCover[]
  readonly columns: ReadonlyMap<string, Uint8Array>
}
