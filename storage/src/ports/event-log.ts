import type { Envelope } from '@hopper/contracts'

/**
 * One message of a lane. `value` is what `encodeEnvelope` made, or whatever else got there: the reader decodes and
 * judges.
 */
export interface LogMessage {
  readonly position: number
  readonly value: Uint8Array
  /** whether `value` is not what was appended, because the disk has changed it */
  readonly isDamaged?: true
}

/** Bytes for a lane as they are: a message that a log has held before. */
export interface LaneMessage {
  readonly lane: number
  readonly value: Uint8Array
}

/** Where a message went. `position` is -1 for one that is durable but not in its lane yet (see `spool/`). */
export interface Appended {
  readonly lane: number
  readonly position: number
}

/**
 * A consumer of lanes. For one lane the calls come one at a time, in order: `assigned`, then `batch` any number of
 * times, then `revoked`. An error thrown by `batch` is delivered again from the same position after a pause. A lane
 * whose next position the log no longer has (it was deleted, or the lane ends before it) is never read from elsewhere:
 * it is revoked, and `assigned` is asked again, until it answers a position that is there.
 */
export interface LaneConsumer {
  /** The lane is ours; answers the position of the first message wanted. Asked again after a pause while it rejects. */
  assigned(lane: number): Promise<number>
  /** Messages in order of position; positions may have gaps. `signal` is aborted when the lane is being taken away. */
  batch(lane: number, messages: readonly LogMessage[], signal: AbortSignal): Promise<void>
  revoked(lane: number): Promise<void>
}

export interface Subscription {
  /** Finishes the batches under way, revokes every lane, then resolves. */
  close(): Promise<void>
}

/**
 * The log: L ordered lanes of envelopes, the truth that every table is a fold of. Lane = `laneOf(app, device_id,
 * lanes)`. Positions of a lane begin at 0 and ascend.
 */
export interface EventLog {
  readonly lanes: number
  /**
   * Resolves when every envelope is durable (synced), in the order given; rejects with HOP_LOG_UNAVAILABLE when that
   * cannot be promised. Calls may overlap; they are committed together.
   */
  append(envelopes: readonly Envelope[]): Promise<readonly Appended[]>
  /**
   * Appends messages to the lanes they name, with the promise of `append`: for import and replay. A message that no
   * reader can decode is taken too.
   */
  appendMessages(messages: readonly LaneMessage[]): Promise<readonly Appended[]>
  subscribe(consumer: LaneConsumer): Promise<Subscription>
  /**
   * Reads up to `limit` messages of a lane from a position on, without owning the lane; after the first no more than
   * `bytesMax` together. Empty only where no message stands at or behind that position.
   */
  read(lane: number, from: number, limit: number, bytesMax?: number): Promise<readonly LogMessage[]>
  /** The next position of each lane, by lane. */
  ends(): Promise<readonly number[]>
  /** The first position that each lane still has; missing where nothing is ever deleted. */
  starts?(): Promise<readonly number[]>
  /**
   * Appends messages without content until the next message of a lane gets this position or a later one. Missing where
   * positions can be passed over.
   */
  fill?(lane: number, to: number): Promise<void>
  close(): Promise<void>
}
