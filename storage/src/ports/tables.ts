import {
  limits,
  type CountBy,
  type DeadLetterReason,
  type Fate,
  type FateReason,
  type PlaceRange,
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
 * Changes of one counter partition by a batch. The deltas and the watermark `from` -> `to` are applied atomically.
 * `from` must be the partition's watermark (-1 at first). Any other `from` is refused, so nothing counts twice.
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
 * An `event_id` and its first occurrence. The `date` of its partition is the UTC date of the client's own time, which a
 * duplicate shares.
 */
export interface SeenChange extends Partition {
  readonly rows: readonly {
    readonly event_id: string
    readonly position: number
    readonly fate: Fate
    readonly reason: FateReason
  }[]
}

/**
 * The partition of the ids of an app's rejected events, by the UTC date of receipt. It is apart from the ids that
 * count: a rejected event never makes a later one a duplicate. No id of an app has a colon.
 */
export function rejectedPartition(app: string, date: string): Partition {
  return { app: `${app}:rejected`, date }
}

/** The position of the first occurrence of an `event_id`, and its fate there. */
export type FirstSeen = Omit<SeenChange['rows'][number], 'event_id'>

/**
 * From `place` on, the device's events belong to this user. A place is the order of an event in its lane:
 * `placeOf(position, index)`.
 */
export interface IdentityChange {
  readonly app: string
  readonly device: string
  readonly user: string
  readonly place: number
  /** how often identities of the device were removed before, see `TableWriter.removeIdentities`; never by default */
  readonly generation?: number
}

/**
 * The order of the event with this index in the envelope at this position. Two identities of one envelope keep their
 * order.
 */
export function placeOf(position: number, index: number): number {
  return position * limits.eventsPerBatchMax + index
}

/** The user of a device from a place on. */
export type Identity = Pick<IdentityChange, 'user' | 'place'>

/**
 * Changes of a session by a batch. `start` and `end` widen the stored range; device and user come from the event at its
 * end.
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

/** Start and end of a session (ms), and its device and user at the end. */
export type Session = Pick<SessionChange, 'start' | 'end' | 'device' | 'user'>

export interface DeadLetter {
  readonly position: number
  readonly reason: DeadLetterReason
  readonly detail: string
  readonly value: Uint8Array
}

/** Identities of a device that are removed. */
export interface RemovedIdentities {
  readonly app: string
  readonly device: string
  readonly ranges: readonly PlaceRange[]
  readonly generation: number
}

/** An id of a partition that is replaced, at the position of its first occurrence; without `by` it is removed. */
export interface SeenReplacement {
  readonly event_id: string
  readonly by?: string
}

/**
 * The tables that expire for a date: `counted`, the tables by the date of events; `received`, those by the UTC date of
 * receipt, which are the fates and the ids of rejected events.
 */
export type ExpiredTables = 'counted' | 'received'

/** All changes of one batch of one lane. Everything except `counters` is idempotent. */
export interface LaneBatch {
  readonly lane: number
  readonly counters: readonly CounterChange[]
  readonly visitors: readonly VisitorChange[]
  readonly seen: readonly SeenChange[]
  readonly identities: readonly IdentityChange[]
  readonly sessions: readonly SessionChange[]
  readonly deadLetters: readonly DeadLetter[]
}

/** A batch that changes nothing, to add changes to. */
export const emptyBatch: Omit<LaneBatch, 'lane'> = {
  counters: [],
  visitors: [],
  seen: [],
  identities: [],
  sessions: [],
  deadLetters: [],
}

/** The right to write a lane. The epoch grows with every owner. */
export interface Lease {
  readonly lane: number
  readonly owner: string
  readonly epoch: number
  /** on the `performance.now()` clock; Infinity where no other process can have the lane */
  readonly expiresAt: number
}

/** The tables as the aggregator needs them: the state before a batch, and one call that applies the batch. */
export interface TableWriter {
  /** The watermark of each partition in a lane, -1 if nothing has been counted yet. */
  applied(lane: number, partitions: readonly CounterPartition[]): Promise<readonly number[]>
  /** The first position of each of these ids in a partition of a lane. Ids never seen are missing. */
  firstPositions(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** All ids of a partition of a lane, in pages of some thousand ids. Ids written during the read may be missing. */
  seenIds(lane: number, partition: Partition): AsyncIterable<readonly string[]>
  /**
   * The identity of each of these devices of an app just before a place: the last identity below that place. Devices
   * without one are missing.
   */
  identities(app: string, devices: readonly string[], before: number): Promise<ReadonlyMap<string, Identity>>
  /**
   * All devices of an app that have identities in a lane, in pages like `seenIds`. Missing where `identities` costs
   * next to nothing.
   */
  identifiedDevices?(lane: number, app: string): AsyncIterable<readonly string[]>
  /**
   * Applies a batch. Batches of a lease come in log order; after a batch that begins at an earlier position, the
   * batches after it are repeated.
   * When it rejects, some partitions may contain the change and others not, and no part of it can be applied later: the
   * caller reads `applied` and folds again. Rejects before writing when the lease has expired.
   */
  apply(lease: Lease, batch: LaneBatch): Promise<void>
  /**
   * Removes rows of visitors that no event accounts for. For repairs only, called by the lane's owner with nothing else
   * in flight. Idempotent.
   */
  removeVisitors(lease: Lease, changes: readonly VisitorChange[]): Promise<void>
  /**
   * Removes rows of a date whose counters are all zero, in the tables whose keys are texts of events: pages and clicks.
   * Called like `removeVisitors`; idempotent. Missing where `apply` does that itself.
   */
  removeEmptyCounters?(lease: Lease, partition: Partition): Promise<void>
  /**
   * Removes the identities of a device that lie in these ranges of places. A device of a user remains only if it has
   * another identity as that user. Called like `removeVisitors`; idempotent. Identities that come later count as usual,
   * with a generation: how often some were removed, this time included.
   */
  removeIdentities(lease: Lease, removed: RemovedIdentities): Promise<void>
  /**
   * Replaces ids of a partition by others at the same position, as accepted, or removes them. At any time one of both
   * is stored. Ids that are not stored are skipped; idempotent. A removed id must not be stored again.
   */
  replaceSeen(lease: Lease, partition: Partition, replacements: readonly SeenReplacement[]): Promise<void>
  /** true where each lane has rows of its own for a session */
  readonly hasSessionsByLane?: true
  /**
   * Replaces the counts of these sessions of an app before a position in the lane by `sessions`; a session that is not
   * among those is removed. Called with nothing else in flight; idempotent. Where a session is one row of all lanes,
   * `sessions` must be those of all lanes.
   */
  replaceSessions(
    lease: Lease,
    app: string,
    ids: readonly string[],
    sessions: readonly SessionChange[],
    before: number,
  ): Promise<void>
  /** Removes dead letters of a lane. Needs no lease: a letter is written once, by the reader of its position. */
  removeDeadLetters(lane: number, positions: readonly number[]): Promise<void>
  /**
   * Ascending dates, from `from` up to but excluding `before`, for which the tables may have data of an app in a lane.
   */
  datesOf(lane: number, app: string, from: string, before: string): Promise<readonly string[]>
  /**
   * Removes the rows of a date in a lane, a bounded number at a time; returns whether there may be more. Nothing may
   * ever be counted there again: a removed counter does not restart. Idempotent.
   */
  expire(lease: Lease, partition: Partition, tables: ExpiredTables): Promise<boolean>
  /**
   * Removes the counts of these sessions in the lane if they ended before an instant (ms). Returns those that began
   * before it and ended at or after it: they must be replaced. Called with nothing else in flight; idempotent.
   */
  expireSessions(lease: Lease, app: string, ids: readonly string[], before: number): Promise<readonly string[]>
  /** Devices of an app that have identities, in pages like `seenIds`: those of the lane, possibly also of others. */
  devicesWithIdentities(lane: number, app: string): AsyncIterable<readonly string[]>
  /**
   * The highest generation in which one of these devices was identified first, see `removeIdentities`. Missing where
   * generations make no difference.
   */
  generationOf?(lane: number, app: string, devices: readonly string[]): Promise<number>
  /** Marks dead letters of a lane as appended to the log again. From now on their old positions do not count. */
  markReplayed?(lane: number, positions: readonly number[]): Promise<void>
  /** The marked positions of a lane, ascending. They outlive the tables. */
  replayed?(lane: number): Promise<readonly number[]>
  /**
   * Writes some of the visitors that large batches of a lane have packed into the tables' own rows, and removes the
   * packed copies. Returns `undefined` when nothing is due. Does not change any result of a `TableReader`, may be
   * interrupted anywhere, and rejects when the lease has expired. Missing in adapters that pack nothing.
   */
  writeOut?(lease: Lease): Promise<WrittenOut | undefined>
}

/** The number of packed blocks that were written out, and of the rows they became. */
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

/** A row of one partition: the counts of one lane on one date. */
export type CounterPartitionRow = Omit<CounterRow, 'date'>

/** A count of distinct visitors, grouped by any of the key columns and by `date`. */
export interface UniquesQuery<T extends VisitorTableName = VisitorTableName> {
  readonly table: T
  readonly app: string
  /** ascending, without gaps */
  readonly dates: readonly string[]
  /** values for the first key columns: only rows with this prefix are counted */
  readonly prefix: Key
  /** names of key columns, or `date`, in the order of the result's groups; empty for one total */
  readonly groupBy: readonly string[]
  readonly countBy: CountBy
}

export interface UniquesRow {
  readonly group: Key
  readonly users: number
}

/** The tables as the API needs them. Dates are a closed range, ascending. Rows are sorted by date and key. */
export interface TableReader {
  /**
   * The version of the counts of an app on each of these dates; dates without anything are missing. It only shows
   * whether the date has changed: after a batch or a correction it differs from every earlier one. Rows that are read
   * afterwards are at least as new.
   */
  versions(app: string, dates: readonly string[]): Promise<ReadonlyMap<string, string>>
  counters(table: CounterTableName, app: string, dates: readonly string[], prefix?: Key): Promise<readonly CounterRow[]>
  /**
   * Distinct visitors per group, exact over all lanes and dates: a person with two devices, or on two dates, counts
   * once per group.
   */
  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]>
  /**
   * The first position of each of these ids in a partition of a lane, and its fate there. Ids never seen are missing.
   * The partition is the one of `SeenChange`.
   */
  seen(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, FirstSeen>>
  /** A session over all lanes and dates. Undefined when no counted event names it. */
  session(app: string, sessionId: string): Promise<Session | undefined>
  /** All identities of a device, ascending by place. */
  identitiesOf(app: string, device: string): Promise<readonly Identity[]>
  /** Devices of all lanes that were identified as a user, at most `limit` of them. */
  devicesOf(app: string, user: string, limit: number): Promise<readonly string[]>
  deadLetters(): Promise<number>
  /**
   * Dead letters of a lane from a position on, in order, at most `limit`; fewer, but at least one, if they are large.
   * Empty when there are no more.
   */
  deadLettersFrom(lane: number, from: number, limit: number): Promise<readonly DeadLetter[]>
  /**
   * The rows of one partition of a lane, ordered by key. Additions of a batch that is applied during the read may be
   * missing: compare `applied` before and after.
   */
  counterPartition(lane: number, partition: CounterPartition): Promise<readonly CounterPartitionRow[]>
  /** The rows of one partition of a lane, each once. */
  visitorPartition(lane: number, partition: VisitorPartition): Promise<VisitorChange['rows']>
}

/**
 * Ownership of lanes, and how far each lane has been read. The latter is a hint for restarts; the source of truth is
 * the watermarks.
 */
export interface Lanes {
  /**
   * Takes the lane when it is free or released, or when its lease has expired and can no longer write. Waits at most
   * the duration of one lease.
   */
  acquire(lane: number, owner: string): Promise<Lease>
  /** Rejects when another owner has taken the lane. */
  renew(lease: Lease): Promise<Lease>
  release(lease: Lease): Promise<void>
  /** Records that every message before this position is in the tables. */
  commit(lease: Lease, position: number): Promise<void>
  positions(): Promise<readonly number[]>
}
