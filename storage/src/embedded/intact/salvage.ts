import { existsSync } from 'node:fs'
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { identify, prepareLog } from '../log/log-schema.ts'
import { openDatabase, openToInspect, transaction } from '../sqlite.ts'
import { prepareTables } from '../tables/table-schema.ts'
import { isIntact } from './inspect-log.ts'

const ROWS_PER_TRANSACTION = 500

/**
 * Copies the readable rows of a damaged log into a new one: each lane from its beginning and from its end up to the
 * damage.
 */
export function salvageLog(from: string, to: string, lanes: number, id: string): void {
  const target = openDatabase(to)
  try {
    prepareLog(target, lanes)
    identify(target, id)
    reading(from, (source) => {
      for (let lane = 0; lane < lanes; lane++) {
        const insert = target.prepare(`INSERT INTO lane_${lane} VALUES (?, ?, ?) ON CONFLICT DO NOTHING`)
        for (const order of ['ASC', 'DESC']) {
          copy(
            target,
            readable(source, `SELECT first, count, block FROM lane_${lane} ORDER BY first ${order}`),
            (row) => {
              const { first, count, block } = row as { first: number; count: number; block: unknown }
              const good = first >= 0 && count > 0 && block instanceof Uint8Array && isIntact(block, count)
              return !good || insert.run(first, count, block).changes > 0
            },
          )
        }
      }
      for (const table of ['losses', 'starts']) copyTable(source, target, table)
    })
  } finally {
    target.close()
  }
}

/** Copies the readable registry rows of damaged tables into new tables. */
export function salvageRegistry(from: string, to: string, id: string): void {
  const target = openDatabase(to)
  try {
    prepareTables(target)
    identify(target, id)
    reading(from, (source) => {
      for (const table of ['registry', 'registry_changes']) copyTable(source, target, table)
    })
  } finally {
    target.close()
  }
}

function reading(file: string, work: (source: DatabaseSync) => void): void {
  if (!existsSync(file)) return
  const source = openToInspect(file)
  try {
    work(source)
  } finally {
    source.close()
  }
}

function copyTable(source: DatabaseSync, target: DatabaseSync, table: string): void {
  const columns = target
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name))
  const insert = target.prepare(
    `INSERT INTO ${table} VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`,
  )
  const listed = columns.map((name) => `"${name}"`).join(', ')
  const order = columns.map((name) => `"${name}" DESC`).join(', ')
  for (const query of [`SELECT ${listed} FROM ${table}`, `SELECT ${listed} FROM ${table} ORDER BY ${order}`]) {
    copy(
      target,
      readable(source, query),
      (row) => insert.run(...columns.map((name) => row[name] as SQLInputValue)).changes > 0,
    )
  }
}

/** The rows of a query up to the first unreadable one, at which the damage begins. */
function* readable(source: DatabaseSync, query: string): Generator<Record<string, unknown>, void> {
  try {
    yield* source.prepare(query).iterate() as Iterable<Record<string, unknown>>
  } catch {
    // Damage is expected here. The result is compared later with what was acknowledged, and missing positions are
    // recorded.
  }
}

/**
 * Passes each row to `insert` until that returns false. The row is then already present: the remaining rows were copied
 * from the other end.
 */
function copy(
  target: DatabaseSync,
  rows: Generator<Record<string, unknown>, void>,
  insert: (row: Record<string, unknown>) => boolean,
): void {
  for (let more = true; more;) {
    transaction(target, () => {
      for (let index = 0; index < ROWS_PER_TRANSACTION && more; index++) {
        const { value, done } = rows.next()
        more = !done && insert(value)
      }
    })
  }
}
