import { randomInt } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import {
  counterTableNames,
  counterTables,
  visitorTableNames,
  visitorTables,
  type CounterTableName,
  type VisitorTableName,
} from '../../ports/table-definitions.ts'
import {
  emptyBatch,
  rejectedPartition,
  type CounterChange,
  type CounterPartition,
  type ExpiredTables,
  type Identity,
  type LaneBatch,
  type Lease,
  type Partition,
  type RemovedIdentities,
  type SeenReplacement,
  type SessionChange,
  type TableWriter,
  type VisitorChange,
} from '../../ports/tables.ts'
import { identitiesWithout } from '../../identities-without.ts'
import type { EmbeddedLanes } from '../lanes.ts'
import { transaction } from '../sqlite.ts'

const DEAD_LETTERS_MAX = 10_000
const IDS_PER_PAGE = 5_000
/** rows that expire in one transaction: a few ms */
const EXPIRED_ROWS = 5_000
/** the largest range of `randomInt` */
const VERSIONS = 2 ** 48 - 1

/** Applies a batch in one transaction: counters, their watermarks and everything else. */
export class EmbeddedTableWriter implements TableWriter {
  readonly #database: DatabaseSync
  readonly #lanes: EmbeddedLanes
  readonly #add: Record<CounterTableName, StatementSync>
  readonly #insert: Record<VisitorTableName, StatementSync>
  readonly #statements: ReturnType<typeof prepareStatements>

  constructor(database: DatabaseSync, lanes: EmbeddedLanes) {
    this.#database = database
    this.#lanes = lanes
    this.#add = Object.fromEntries(
      counterTableNames.map((table) => [table, database.prepare(addQuery(table))]),
    ) as Record<CounterTableName, StatementSync>
    this.#insert = Object.fromEntries(
      visitorTableNames.map((table) => [table, database.prepare(insertQuery(table))]),
    ) as Record<VisitorTableName, StatementSync>
    this.#statements = prepareStatements(database)
  }

  async applied(lane: number, partitions: readonly CounterPartition[]): Promise<readonly number[]> {
    return partitions.map((partition) => this.#appliedOf(lane, partition))
  }

  async firstPositions(
    lane: number,
    { app, date }: Partition,
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>()
    for (const id of eventIds) {
      const row = this.#statements.first.get(app, date, lane, id) as { position: number } | undefined
      if (row) found.set(id, row.position)
    }
    return found
  }

  async *seenIds(lane: number, { app, date }: Partition): AsyncIterable<readonly string[]> {
    for (let after = '', full = true; full;) {
      const ids = this.#statements.seen
        .all(app, date, lane, after, IDS_PER_PAGE)
        .map((row) => row['event_id'] as string)
      full = ids.length === IDS_PER_PAGE
      after = ids.at(-1) ?? after
      if (ids.length > 0) yield ids
    }
  }

  async identities(app: string, devices: readonly string[], before: number): Promise<ReadonlyMap<string, Identity>> {
    const found = new Map<string, Identity>()
    for (const device of devices) {
      const identity = this.#statements.identity.get(app, device, before) as unknown as Identity | undefined
      if (identity) found.set(device, identity)
    }
    return found
  }

  async apply(lease: Lease, batch: LaneBatch): Promise<void> {
    if (batch.lane !== lease.lane)
      throw new HopperError('HOP_INTERNAL', `The lease of lane ${lease.lane} cannot write lane ${batch.lane}.`)
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const change of batch.counters) this.#count(batch.lane, change)
      this.#writeSets(batch)
      this.#bumpVersions([...batch.counters, ...batch.visitors])
    })
  }

  async removeVisitors(lease: Lease, changes: readonly VisitorChange[]): Promise<void> {
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const { table, app, date, rows } of changes) {
        const remove = this.#database.prepare(removeQuery(table))
        for (const { key, visitor } of rows) remove.run(app, date, lease.lane, ...key, visitor.user, visitor.device)
      }
      this.#bumpVersions(changes)
    })
  }

  async removeIdentities(lease: Lease, { app, device, ranges }: RemovedIdentities): Promise<void> {
    const all = this.#database.prepare(
      'SELECT user, place FROM person_by_device WHERE app = ? AND device = ? ORDER BY place',
    )
    const remove = this.#database.prepare('DELETE FROM person_by_device WHERE app = ? AND device = ? AND place = ?')
    const disown = this.#database.prepare(
      `DELETE FROM devices_by_person WHERE app = ?1 AND device = ?2 AND user = ?3 AND NOT EXISTS (
        SELECT 1 FROM person_by_device WHERE app = ?1 AND device = ?2 AND user = ?3)`,
    )
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      const { gone } = identitiesWithout(all.all(app, device) as unknown as Identity[], ranges)
      for (const { place } of gone) remove.run(app, device, place)
      for (const user of new Set(gone.map((identity) => identity.user))) disown.run(app, device, user)
    })
  }

  async replaceSeen(lease: Lease, { app, date }: Partition, replacements: readonly SeenReplacement[]): Promise<void> {
    const isRow = 'app = ? AND date = ? AND lane = ? AND event_id = ?'
    const insert = this.#database.prepare(
      `INSERT INTO seen_by_date SELECT app, date, lane, ?, position, 'accepted', 'new' FROM seen_by_date WHERE ${isRow}
      ON CONFLICT DO NOTHING`,
    )
    const remove = this.#database.prepare(`DELETE FROM seen_by_date WHERE ${isRow}`)
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const { event_id, by } of replacements) {
        if (by !== undefined) insert.run(by, app, date, lease.lane, event_id)
        remove.run(app, date, lease.lane, event_id)
      }
    })
  }

  async replaceSessions(
    lease: Lease,
    app: string,
    ids: readonly string[],
    sessions: readonly SessionChange[],
  ): Promise<void> {
    const remove = this.#database.prepare('DELETE FROM sessions_by_id WHERE app = ? AND session_id = ?')
    transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      for (const id of ids) remove.run(app, id)
      this.#writeSets({ ...emptyBatch, lane: lease.lane, sessions })
    })
  }

  async removeDeadLetters(lane: number, positions: readonly number[]): Promise<void> {
    const remove = this.#database.prepare('DELETE FROM dead_letters WHERE lane = ? AND position = ?')
    transaction(this.#database, () => {
      for (const position of positions) remove.run(lane, position)
    })
  }

  async datesOf(_lane: number, app: string, from: string, before: string): Promise<readonly string[]> {
    const dates = new Set<string>()
    for (const [table, owner] of datedTables(app)) {
      // One look-up for each date: the rows of a date are many.
      const next = this.#database.prepare(`SELECT min(date) AS date FROM ${table} WHERE app = ? AND date >= ?`)
      for (let start = from; ;) {
        const { date } = next.get(owner, start) as { date: string | null }
        if (date === null || date >= before) break
        dates.add(date)
        start = `${date}~`
      }
    }
    return [...dates].sort()
  }

  async expire(lease: Lease, { app, date }: Partition, tables: ExpiredTables): Promise<boolean> {
    const counted = [...counterTableNames.filter((table) => table !== 'fates_by_date'), ...visitorTableNames]
    const removed =
      tables === 'counted'
        ? counted.map((table) => [table, app] as const)
        : ([
            ['fates_by_date', app],
            ['seen_by_date', rejectedPartition(app, date).app],
          ] as const)
    return transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      this.#bumpVersions([{ app, date }])
      let left = EXPIRED_ROWS
      for (const [table, owner] of removed) {
        const remove = this.#database.prepare(expireQuery(table))
        left -= Number(remove.run(owner, date, lease.lane, owner, date, lease.lane, left).changes)
        if (left <= 0) return true
      }
      const names = counterTableNames.filter((table) => (table === 'fates_by_date') === (tables === 'received'))
      const unmark = this.#database.prepare(
        'DELETE FROM applied WHERE "table" = ? AND app = ? AND date = ? AND lane = ?',
      )
      for (const table of names) unmark.run(table, app, date, lease.lane)
      return false
    })
  }

  async expireSessions(lease: Lease, app: string, ids: readonly string[], before: number): Promise<readonly string[]> {
    const remove = this.#database.prepare('DELETE FROM sessions_by_id WHERE app = ? AND session_id = ? AND "end" < ?')
    const reaching = this.#database.prepare(
      'SELECT session_id FROM sessions_by_id WHERE app = ? AND session_id = ? AND start < ?',
    )
    return transaction(this.#database, () => {
      this.#lanes.assertOwned(lease)
      return ids.filter((id) => {
        remove.run(app, id, before)
        return reaching.get(app, id, before) !== undefined
      })
    })
  }

  async *devicesWithIdentities(_lane: number, app: string): AsyncIterable<readonly string[]> {
    const query = this.#database.prepare(
      'SELECT DISTINCT device FROM person_by_device WHERE app = ? AND device > ? ORDER BY device LIMIT ?',
    )
    for (let after = '', full = true; full;) {
      const devices = query.all(app, after, IDS_PER_PAGE).map((row) => row['device'] as string)
      full = devices.length === IDS_PER_PAGE
      after = devices.at(-1) ?? after
      if (devices.length > 0) yield devices
    }
  }

  async markReplayed(lane: number, positions: readonly number[]): Promise<void> {
    const mark = this.#database.prepare('INSERT OR IGNORE INTO replayed_letters VALUES (?, ?)')
    transaction(this.#database, () => {
      for (const position of positions) mark.run(lane, position)
    })
  }

  async replayed(lane: number): Promise<readonly number[]> {
    const query = 'SELECT position FROM replayed_letters WHERE lane = ? ORDER BY position'
    const rows = this.#database.prepare(query).all(lane)
    return rows.map((row) => (row as { position: number }).position)
  }

  #appliedOf(lane: number, { table, app, date }: CounterPartition): number {
    return (this.#statements.applied.get(table, app, date, lane) as { position: number } | undefined)?.position ?? -1
  }

  #count(lane: number, change: CounterChange): void {
    const applied = this.#appliedOf(lane, change)
    if (applied !== change.from) {
      throw new HopperError(
        'HOP_INTERNAL',
        `${change.table} ${change.date} is at position ${applied}, but the change continues from ${change.from}.`,
      )
    }
    const add = this.#add[change.table]
    for (const { key, deltas } of change.rows) add.run(change.app, change.date, lane, ...key, ...deltas)
    // A correction may leave rows of zeros, whose keys are texts of removed events.
    if (change.from === change.to) this.#database.prepare(emptyQuery(change.table)).run(change.app, change.date, lane)
    this.#statements.mark.run(change.table, change.app, change.date, lane, change.to)
  }

  /** Gives each date that was changed a version that it never had: random, since tables may be recreated. */
  #bumpVersions(changed: readonly Partition[]): void {
    const dates = new Map(changed.map(({ app, date }) => [JSON.stringify([app, date]), { app, date }]))
    for (const { app, date } of dates.values()) this.#statements.bump.run(app, date, randomInt(VERSIONS))
  }

  #writeSets({ lane, visitors, seen, identities, sessions, deadLetters }: LaneBatch): void {
    const { see, identify, own, widen, bury, buried } = this.#statements
    for (const { table, app, date, rows } of visitors) {
      const insert = this.#insert[table]
      for (const { key, visitor } of rows) insert.run(app, date, lane, ...key, visitor.user, visitor.device)
    }
    for (const { app, date, rows } of seen)
      for (const row of rows) see.run(app, date, lane, row.event_id, row.position, row.fate, row.reason)
    for (const { app, device, user, place } of identities) {
      identify.run(app, device, place, user)
      own.run(app, user, device)
    }
    for (const s of sessions)
      widen.run(s.app, s.session_id, s.start, s.end, s.device, s.user, lane, s.first_position, s.last_position)
    for (const { position, reason, detail, value } of deadLetters) {
      if ((buried.get() as { count: number }).count < DEAD_LETTERS_MAX) bury.run(lane, position, reason, detail, value)
    }
  }
}

function addQuery(table: CounterTableName): string {
  const { key, counters } = counterTables[table]
  const values = 3 + Object.keys(key).length + counters.length
  const sums = counters.map((name) => `"${name}" = "${name}" + excluded."${name}"`)
  return `INSERT INTO ${table} VALUES (${placeholders(values)}) ON CONFLICT DO UPDATE SET ${sums.join()}`
}

function emptyQuery(table: CounterTableName): string {
  const zeros = counterTables[table].counters.map((name) => `"${name}" = 0`)
  return `DELETE FROM ${table} WHERE app = ? AND date = ? AND lane = ? AND ${zeros.join(' AND ')}`
}

function insertQuery(table: VisitorTableName): string {
  const columns = 5 + Object.keys(visitorTables[table].key).length
  return `INSERT INTO ${table} VALUES (${placeholders(columns)}) ON CONFLICT DO NOTHING`
}

/** Tables whose rows have a date, each with the name that stands for the app in its rows. */
function datedTables(app: string): readonly (readonly [table: string, app: string])[] {
  return [
    ...[...counterTableNames, ...visitorTableNames].map((table) => [table, app] as const),
    ['seen_by_date', rejectedPartition(app, '').app],
  ]
}

/** Removes some rows of a partition. */
function expireQuery(table: CounterTableName | VisitorTableName | 'seen_by_date'): string {
  const key =
    table === 'seen_by_date'
      ? ['event_id']
      : table in counterTables
        ? Object.keys(counterTables[table as CounterTableName].key)
        : [...Object.keys(visitorTables[table as VisitorTableName].key), 'user', 'device']
  const partition = 'app = ? AND date = ? AND lane = ?'
  return `DELETE FROM ${table} WHERE ${partition} AND (${key.join()}) IN (
    SELECT ${key.join()} FROM ${table} WHERE ${partition} LIMIT ?)`
}

function removeQuery(table: VisitorTableName): string {
  const columns = ['app', 'date', 'lane', ...Object.keys(visitorTables[table].key), 'user', 'device']
  return `DELETE FROM ${table} WHERE ${columns.map((column) => `${column} = ?`).join(' AND ')}`
}

function placeholders(count: number): string {
  return new Array(count).fill('?').join(', ')
}

function prepareStatements(
  database: DatabaseSync,
): Record<
  | 'applied'
  | 'mark'
  | 'bump'
  | 'first'
  | 'seen'
  | 'see'
  | 'identity'
  | 'identify'
  | 'own'
  | 'widen'
  | 'bury'
  | 'buried',
  StatementSync
> {
  return {
    applied: database.prepare('SELECT position FROM applied WHERE "table" = ? AND app = ? AND date = ? AND lane = ?'),
    mark: database.prepare(
      'INSERT INTO applied VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET position = excluded.position',
    ),
    bump: database.prepare(
      'INSERT INTO versions_by_date VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET version = excluded.version',
    ),
    first: database.prepare(
      'SELECT position FROM seen_by_date WHERE app = ? AND date = ? AND lane = ? AND event_id = ?',
    ),
    seen: database.prepare(
      'SELECT event_id FROM seen_by_date ' +
        'WHERE app = ? AND date = ? AND lane = ? AND event_id > ? ORDER BY event_id LIMIT ?',
    ),
    see: database.prepare(`INSERT INTO seen_by_date VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
      SET position = excluded.position, fate = excluded.fate, reason = excluded.reason
      WHERE excluded.position < position`),
    identity: database.prepare(
      'SELECT user, place FROM person_by_device WHERE app = ? AND device = ? AND place < ? ORDER BY place DESC LIMIT 1',
    ),
    identify: database.prepare(
      'INSERT INTO person_by_device VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET user = excluded.user',
    ),
    own: database.prepare('INSERT INTO devices_by_person VALUES (?, ?, ?) ON CONFLICT DO NOTHING'),
    widen: database.prepare(`INSERT INTO sessions_by_id VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
      start = min(start, excluded.start), "end" = max("end", excluded."end"),
      device = iif(excluded."end" >= "end", excluded.device, device),
      user = iif(excluded."end" >= "end", excluded.user, user),
      first_position = min(first_position, excluded.first_position),
      last_position = max(last_position, excluded.last_position)`),
    bury: database.prepare('INSERT INTO dead_letters VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    buried: database.prepare('SELECT count(*) AS count FROM dead_letters'),
  }
}
