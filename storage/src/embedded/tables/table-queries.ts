import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  counterTables,
  visitorTables,
  type CounterTableName,
  type Key,
  type KeyValue,
} from '../../ports/table-definitions.ts'
import type {
  CounterPartition,
  CounterPartitionRow,
  CounterRow,
  DeadLetter,
  FirstSeen,
  Identity,
  Partition,
  Session,
  UniquesQuery,
  UniquesRow,
  VisitorChange,
  VisitorPartition,
} from '../../ports/tables.ts'

/** maximum size of the dead letters in one result */
const LETTERS_BYTES_MAX = 8_000_000

type Row = Record<string, KeyValue>

/** The dashboard's queries in SQL. Runs in the reader's thread; all results can be sent between threads. */
export class TableQueries {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  versions(app: string, dates: readonly string[]): Map<string, string> {
    const rows = this.#all(`SELECT date, version FROM versions_by_date WHERE ${where([], [])}`, app, dates, [])
    return new Map(rows.map(({ date, version }) => [date as string, String(version)]))
  }

  counters(table: CounterTableName, app: string, dates: readonly string[], prefix: Key = []): CounterRow[] {
    const keys = Object.keys(counterTables[table].key)
    const counters: readonly string[] = counterTables[table].counters
    const grouped = ['date', ...keys].join(', ')
    const sums = counters.map((name) => `sum("${name}") AS "${name}"`).join(', ')
    const rows = this.#all(
      `SELECT ${grouped}, ${sums} FROM ${table} WHERE ${where(keys, prefix)} GROUP BY ${grouped} ORDER BY ${grouped}`,
      app,
      dates,
      prefix,
    )
    return rows.map((row) => ({
      date: row.date as string,
      key: keys.map((name) => row[name]!),
      counters: counters.map((name) => row[name] as number),
    }))
  }

  /**
   * An anonymous row counts as the first user of its device. The prefixes distinguish names of users from names of
   * devices.
   */
  uniques({ table, app, dates, prefix, groupBy, countBy }: UniquesQuery): UniquesRow[] {
    const keys = Object.keys(visitorTables[table].key)
    for (const column of groupBy)
      if (column !== 'date' && !keys.includes(column)) throw new TypeError(`${table} has no key column ${column}`)
    const person = `CASE WHEN user <> '' THEN 'u:' || user ELSE coalesce('u:' || (
      SELECT p.user FROM person_by_device p WHERE p.app = t.app AND p.device = t.device
      ORDER BY p.place LIMIT 1), 'd:' || device) END`
    const visitor = `${countBy === 'device' ? 'device' : person} AS visitor`
    const columns = [...groupBy.map((column) => `t.${column} AS ${column}`), 'count(DISTINCT visitor) AS users'].join(
      ', ',
    )
    const counted = [...groupBy.map((column) => `t.${column}`), visitor].join(', ')
    const group = groupBy.length > 0 ? `GROUP BY ${groupBy.join(', ')} ORDER BY ${groupBy.join(', ')}` : ''
    const rows = this.#all(
      `SELECT ${columns} FROM (
        SELECT ${counted} FROM ${table} t WHERE ${where(keys, prefix)}
      ) t ${group}`,
      app,
      dates,
      prefix,
    )
    return rows.map((row) => ({ group: groupBy.map((column) => row[column]!), users: row.users as number }))
  }

  seen(lane: number, { app, date }: Partition, eventIds: readonly string[]): Map<string, FirstSeen> {
    const row = this.#database.prepare(
      'SELECT position, fate, reason FROM seen_by_date WHERE app = ? AND date = ? AND lane = ? AND event_id = ?',
    )
    return new Map(
      eventIds.flatMap((id): [string, FirstSeen][] => {
        const found = row.get(app, date, lane, id) as FirstSeen | undefined
        return found ? [[id, { ...found }]] : []
      }),
    )
  }

  session(app: string, sessionId: string): Session | undefined {
    const row = this.#database
      .prepare('SELECT start, "end", device, user FROM sessions_by_id WHERE app = ? AND session_id = ?')
      .get(app, sessionId)
    return row && { ...(row as unknown as Session) }
  }

  identitiesOf(app: string, device: string): Identity[] {
    const rows = this.#database
      .prepare('SELECT user, place FROM person_by_device WHERE app = ? AND device = ? ORDER BY place')
      .all(app, device) as unknown as Identity[]
    return rows.map((row) => ({ ...row }))
  }

  devicesOf(app: string, user: string, limit: number): string[] {
    const rows = this.#database
      .prepare('SELECT device FROM devices_by_person WHERE app = ? AND user = ? ORDER BY device LIMIT ?')
      .all(app, user, limit)
    return rows.map((row) => row['device'] as string)
  }

  deadLetters(): number {
    return (this.#database.prepare('SELECT count(*) AS count FROM dead_letters').get() as { count: number }).count
  }

  deadLettersFrom(lane: number, from: number, limit: number): DeadLetter[] {
    const letters: DeadLetter[] = []
    let bytes = 0
    const query =
      'SELECT position, reason, detail, value FROM dead_letters ' +
      'WHERE lane = ? AND position >= ? ORDER BY position LIMIT ?'
    for (const row of this.#database.prepare(query).iterate(lane, from, limit)) {
      const letter = { ...(row as unknown as DeadLetter) }
      bytes += letter.value.length
      if (letters.length > 0 && bytes > LETTERS_BYTES_MAX) break
      letters.push(letter)
    }
    return letters
  }

  counterPartition(lane: number, { table, app, date }: CounterPartition): CounterPartitionRow[] {
    const keys = Object.keys(counterTables[table].key)
    const counters: readonly string[] = counterTables[table].counters
    const rows = this.#database
      .prepare(`SELECT * FROM ${table} WHERE app = ? AND date = ? AND lane = ? ORDER BY ${keys.join(', ')}`)
      .all(app, date, lane) as Row[]
    return rows.map((row) => ({
      key: keys.map((name) => row[name]!),
      counters: counters.map((name) => row[name] as number),
    }))
  }

  visitorPartition(lane: number, { table, app, date }: VisitorPartition): VisitorChange['rows'] {
    const keys = Object.keys(visitorTables[table].key)
    const rows = this.#database
      .prepare(`SELECT * FROM ${table} WHERE app = ? AND date = ? AND lane = ?`)
      .all(app, date, lane) as Row[]
    return rows.map((row) => ({
      key: keys.map((name) => row[name]!),
      visitor: { user: String(row.user), device: String(row.device) },
    }))
  }

  #all(query: string, app: string, dates: readonly string[], prefix: Key): Row[] {
    const [first, last] = [dates[0], dates.at(-1)]
    if (first === undefined || last === undefined) return []
    const values: SQLInputValue[] = [app, first, last, ...prefix]
    return this.#database.prepare(query).all(...values) as Row[]
  }
}

function where(keys: readonly string[], prefix: Key): string {
  return ['app = ?', 'date >= ?', 'date <= ?', ...prefix.map((_, index) => `${keys[index]} = ?`)].join(' AND ')
}
