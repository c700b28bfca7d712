import type { Envelope } from '@hopper/contracts'

/**
 * One message of a lane. `value` is usually an output of `encodeEnvelope` but may be anything else that reached the
 * log: the reader decodes and validates it.
 */
export interface LogMessage {
  readonly position: number
  readonly value: Uint8Array
  /** set when `value` is not what was appended because the disk has corrupted it */
  readonly isDamaged?: true
}

/** Raw bytes for a lane: a message that a log contained before. */
export interface LaneMessage {
  readonly lane: number
  readonly value: Uint8Array
}

/**
 * The place where a message was stored. `position` is -1 if the message is durable but not in its lane yet (see
 * `spool/`).
 */
export interface Appended {
  readonly lane: number
  readonly position: number
}

/**
 * A consumer of lanes. The calls for one lane never overlap and come in this order: `assigned`, any number of `batch`,
 * `revoked`. If `batch` throws, delivery is retried from the same position after a pause.
 * The log may no longer have the next position of a lane (it was deleted, or the lane ends before it). Such a lane is
 * never read from another position. It is revoked, and `assigned` is called again until it returns a position that
 * exists.
 */
export interface LaneConsumer {
  /**
   * The lane is now assigned to this consumer. Returns the position of the first message wanted. Retried after a pause
   * while it rejects.
   */
  assigned(lane: number): Promise<number>
  /** Messages in order of position; positions may have gaps. `signal` is aborted when the lane is being taken away. */
  batch(lane: number, messages: readonly LogMessage[], signal: AbortSignal): Promise<void>
  revoked(lane: number): Promise<void>
}

export interface Subscription {
  /** Finishes the batches in flight, revokes every lane, then resolves. */
  close(): Promise<void>
}

/**
 * The log: L ordered lanes of envelopes, the source of truth of which every table is a fold. Lane = `laneOf(app,
 * device_id, lanes)`. Positions of a lane begin at 0 and ascend.
 */
export interface EventLog {
  readonly lanes: number
  /**
   * Resolves when every envelope is durable (synced), in the order given. Rejects with HOP_LOG_UNAVAILABLE when that
   * cannot be guaranteed. Calls may overlap; they are committed together.
   */
  append(envelopes: readonly Envelope[]): Promise<readonly Appended[]>
  /**
   * Appends messages to the lanes they name, with the same guarantee as `append`: for import and replay. Messages that
   * no reader can decode are accepted too.
   */
  appendMessages(messages: readonly LaneMessage[]): Promise<readonly Appended[]>
  subscribe(consumer: LaneConsumer): Promise<Subscription>
  /**
   * Reads up to `limit` messages of a lane from a position on, without owning the lane. All messages after the first
   * together have at most `bytesMax` bytes. Empty only if the lane has no message at or after that position.
   */
  read(lane: number, from: number, limit: number, bytesMax?: number): Promise<readonly LogMessage[]>
  /** The next position of each lane, indexed by lane. */
  ends(): Promise<readonly number[]>
  /** The first position that each lane still has. Missing in logs that never delete anything. */
  starts?(): Promise<readonly number[]>
  /**
   * Appends empty messages until the next message of a lane gets this position or a later one. Missing in logs that can
   * skip positions.
   */
  fill?(lane: number, to: number): Promise<void>
  /**
   * Replaces the values of messages of a lane, at their positions; durable when it resolves. The old values are
   * overwritten on the disk, see also `Storage.scrub`. Positions that the lane does not have are skipped. Missing in
   * logs that cannot change a message.
   */
  rewrite?(lane: number, messages: readonly LogMessage[]): Promise<void>
  /**
   * The instant (ms) by which the log itself has deleted all messages that were appended before a given instant;
   * undefined when it never deletes any. Missing in logs that can change a message.
   */
  keptUntil?(appendedBefore: number): Promise<number | undefined>
  close(): Promise<void>
}
