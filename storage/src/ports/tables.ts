import {
  limits,
  type CountBy,
  type DeadLetterReason,
  type Fate,
  type FateReason,
  type Visitor,
} from '@hopper/contracts'
import type { CounterTableName, Key, VisitorTableName } from './table-definitions.ts'

/** A partition of a table within one lane. */
export interface Partition {
  readonly app: string
  readonly date: string
}

export interface CounterPartition<T extends CounterTableName = CounterTableName> extends Partition {
  readonly table: T
}

/**
 * What a batch adds to one counter partition. Applied as one atomic change: the deltas and the watermark `from` ->
 * `to`. `from` must be the partition's watermark (-1 at first): a change whose `from` is not, is refused, so nothing
 * counts twice.
 */
export interface CounterChange extends CounterPartition {
  readonly from: number
  readonly to: number
  readonly rows: readonly { readonly key: Key; readonly deltas: readonly number[] }[]
}

export interface VisitorPartition extends Partition {
  readonly table: VisitorTableName
}

export interface VisitorChange extends VisitorPartition {
  readonly rows: readonly { readonly key: Key; readonly visitor: Visitor }[]
}

/**
 * An `event_id` and where it stood first. `date` of its partition is the UTC date of the client's own time, which a
 * repetition shares.
 */
export interface SeenChange extends Partition {
  readonly rows: readonly {
    readonly event_id: string
    readonly position: number
    readonly fate: Fate
    readonly reason: FateReason
  }[]
}

/** Where an `event_id` stood first, and its fate there. */
export type FirstSeen = Omit<SeenChange['rows'][number], 'event_id'>

/**
 * From `place` on, the device's events are this user's. A place is an event's order in its lane: `placeOf(position,
 * index)`.
 */
export interface IdentityChange {
  readonly app: string
  readonly device: string
  readonly user: string
  readonly place: number
}

/**
 * The order of the event with this index in the envelope at this position, so that two identities of one envelope keep
 * their order.
 */
export function placeOf(position: number, index: number): number {
  return position * limits.eventsPerBatchMax + index
}

/** Who a device is from a place on. */
export type Identity = Pick<IdentityChange, 'user' | 'place'>

/**
 * What a batch knows of a session: `start` and `end` widen what is stored; who it is comes from the event at its end.
 */
export interface SessionChange {
  readonly app: string
  readonly session_id: string
  readonly start: number
  readonly end: number
  readonly device: string
  readonly user: string
  readonly first_position: number
  readonly last_position: number
}

/** When a session began and ended (ms), and who it was at its end. */
export type Session = Pick<SessionChange, 'start' | 'end' | 'device' | 'user'>

export interface DeadLetter {
  readonly position: number
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly value: Uint8Array
}

/** All that one batch of one lane changes. Everything except `counters` is idempotent. */
export interface LaneBatch {
  readonly lane: number
  readonly counters: readonly CounterChange[]
  readonly visitors: readonly VisitorChange[]
  readonly seen: readonly SeenChange[]
  readonly identities: readonly IdentityChange[]
  readonly sessions: readonly SessionChange[]
  readonly deadLetters: readonly DeadLetter[]
}

/** The right to write a lane, with an epoch that grows with every owner. */
export interface Lease {
  readonly lane: number
  readonly owner: string
  readonly epoch: number
  /** on the clock of `performance.now()` */
  readonly expiresAt: number
}

/** What the aggregator needs of the tables: the state before a batch, and one call that applies it. */
export interface TableWriter {
  /** The watermark of each partition in a lane, -1 where nothing was counted yet. */
  applied(lane: number, partitions: readonly CounterPartition[]): Promise<readonly number[]>
  /** The first position of each of these ids in a partition of a lane; ids never seen are missing. */
  firstPositions(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** All ids of a partition of a lane, some thousand at a time. What is written while it is read may be missing. */
  seenIds(lane: number, partition: Partition): AsyncIterable<readonly string[]>
  /**
   * Who each of these devices of an app was just before a place: the last of its identities below that; a device
   * without one is missing.
   */
  identities(app: string, devices: readonly string[], before: number): Promise<ReadonlyMap<string, Identity>>
  /**
   * All devices of an app that a lane has identities of, some thousand at a time, as `seenIds`. Missing where
   * `identities` costs next to nothing.
   */
  identifiedDevices?(lane: number, app: string): AsyncIterable<readonly string[]>
  /**
   * Applies a batch; those of a lease come in the order of the log, and one that goes back is followed by what comes
   * after it. When it rejects, some partitions may hold the change and others not, and nothing of it can be applied any
   * more: the caller reads `applied` again and folds again. Rejects before writing when the lease has run out.
   */
  apply(lease: Lease, batch: LaneBatch): Promise<void>
  /**
   * Removes rows of visitors that no event accounts for: for repairs only, as their owner has nothing else under way.
   * What is gone already stays so.
   */
  removeVisitors(lease: Lease, changes: readonly VisitorChange[]): Promise<void>
  /** Removes dead letters of a lane. Needs no lease: a letter is written once, by whoever reads its position. */
  removeDeadLetters(lane: number, positions: readonly number[]): Promise<void>
  /** Notes that dead letters of a lane are in the log again: from now on their old places do not count. */
  markReplayed?(lane: number, positions: readonly number[]): Promise<void>
  /** The positions of a lane that were marked so, ascending. They outlive the tables. */
  replayed?(lane: number): Promise<readonly number[]>
  /**
   * Writes some of the visitors that a lane's large batches have packed out into the tables' own rows, and removes what
   * was packed. Answers `undefined` when nothing is due now. Changes nothing of what a `TableReader` answers, may be
   * cut anywhere, and rejects when the lease has run out. Missing where nothing is packed.
   */
  writeOut?(lease: Lease): Promise<WrittenOut | undefined>
}

/** What was packed and is in rows now. */
export interface WrittenOut {
  readonly blocks: number
  readonly rows: number
}

export interface CounterRow {
  readonly date: string
  readonly key: Key
  /** in the order of the table's counters, summed over the lanes */
  readonly counters: readonly number[]
}

/** A row of one partition: what one lane has counted on one date. */
export type CounterPartitionRow = Omit<CounterRow, 'date'>

/** How visitors are grouped: by any of the key columns and by `date`. */
export interface UniquesQuery<T extends VisitorTableName = VisitorTableName> {
  readonly table: T
  readonly app: string
  /** ascending, without gaps */
  readonly dates: readonly string[]
  /** values for the first key columns: only rows below them are counted */
  readonly prefix: Key
  /** names of key columns, or `date`, in the order wanted; empty for one total */
  readonly groupBy: readonly string[]
  readonly countBy: CountBy
}

export interface UniquesRow {
  readonly group: Key
  readonly users: number
}

/** What the API needs of the tables. Dates are a closed range, ascending. Rows come sorted by date and key. */
export interface TableReader {
  counters(table: CounterTableName, app: string, dates: readonly string[], prefix?: Key): Promise<readonly CounterRow[]>
  /**
   * Distinct visitors per group, exact over all lanes and dates: a person with two devices, or on two dates, counts
   * once per group.
   */
  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]>
  /**
   * Where each of these ids stood first in a partition of a lane, and its fate there; ids never seen are missing. The
   * partition is that of `SeenChange`.
   */
  seen(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, FirstSeen>>
  /** A session, over all lanes and dates; undefined when no event that counts names it. */
  session(app: string, sessionId: string): Promise<Session | undefined>
  deadLetters(): Promise<number>
  /**
   * Dead letters of a lane from a position on, in order, at most `limit`; fewer, and at least one, where they are
   * large. Empty when there are no more.
   */
  deadLettersFrom(lane: number, from: number, limit: number): Promise<readonly DeadLetter[]>
  /**
   * The rows of one partition of a lane, by key. What a batch that is being applied meanwhile adds may be missing:
   * `applied` tells, read before and after.
   */
  counterPartition(lane: number, partition: CounterPartition): Promise<readonly CounterPartitionRow[]>
  /** The rows of one partition of a lane, each once. */
  visitorPartition(lane: number, partition: VisitorPartition): Promise<VisitorChange['rows']>
}

/**
 * Who writes which lane, and how far each lane has been read (a hint for the restart; the truth are the watermarks).
 */
export interface Lanes {
  /**
   * Takes the lane when it is free, released, or its lease has run out and cannot write any more. Waits for that at
   * most one lease.
   */
  acquire(lane: number, owner: string): Promise<Lease>
  /** Rejects when another owner has taken the lane. */
  renew(lease: Lease): Promise<Lease>
  release(lease: Lease): Promise<void>
  /** Every message before this position is in the tables. */
  commit(lease: Lease, position: number): Promise<void>
  positions(): Promise<readonly number[]>
}
