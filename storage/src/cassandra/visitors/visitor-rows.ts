import type { Visitor } from '@hopper/contracts'
import { types, type Client } from 'cassandra-driver'
import { visitorTables, type Key, type KeyValue } from '../../ports/table-definitions.ts'
import type { VisitorChange } from '../../ports/tables.ts'
import { splitByCount } from '../client/batches.ts'
import { queryFile, rowsOf, statement, type Statement } from '../client/statements.ts'
import { packVisitors, visitorName, visitorsOf, type VisitorRow } from './visitor-block.ts'
import { deltaWrite, type Delta } from './visitor-deltas.ts'
import type { VisitorPart } from './visitor-parts.ts'
import type { VisitorPlace } from './visitor-place.ts'

/** Parts with fewer rows are written as rows; writing a row several times still gives one row. */
export const PACKED_ROWS_MIN = 256
const ROWS_PER_BATCH = 300

/**
 * Statements that write the visitors of a batch and their deltas, in batches that touch one partition each: the rows of
 * a part if they are few, else its block.
 */
export function visitorWrites(
  lane: number,
  deltas: readonly Delta<VisitorPart>[],
  packedRowsMin = PACKED_ROWS_MIN,
): Statement[][] {
  return deltas.flatMap((delta) => {
    const block = packVisitors(delta.changes)
    if (delta.rows >= packedRowsMin) return [blockWrite(lane, delta, block)]
    const [first = [], ...rest] = delta.changes.flatMap((change) => rowWrites(lane, change))
    return [[...first, deltaWrite(lane, delta, block)], ...rest]
  })
}

/**
 * Reads the rows, each once, with those of a key adjacent. Blocks are read before rows: a block is deleted after its
 * rows were written, so a row is in at least one of the two results, even during a write-out.
 */
export async function readVisitorRows(
  client: Client,
  { table, app, date, lane, prefix }: VisitorPlace,
): Promise<VisitorRow[]> {
  const columns = Object.keys(visitorTables[table].key)
  const blocks = await rowsOf(client, 'visitor-blocks-by-date.read', [app, date, lane])
  const rows = await rowsOf(client, `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`, [
    app,
    date,
    lane,
    ...prefix,
  ])
  const found = rows.flatMap((row) => {
    const key = columns.map((column) => row.get(column) as KeyValue)
    return visitorsOfRow(row).map((visitor): VisitorRow => ({ key, visitor }))
  })
  // Rows from before migration 12 may duplicate a current row.
  if (blocks.length === 0 && !rows.some((row) => row.get('user') !== '')) return found
  return distinct([found, ...blocks.map((row) => visitorsOf(row.get('block') as Uint8Array, table, prefix))])
}

/** Statements that write rows of one table as rows, in batches that touch its partition only. Idempotent. */
export function rowWrites(lane: number, { table, app, date, rows }: VisitorChange): Statement[][] {
  const file = queryFile(table)
  const [anonymous, identified] = [statement(`${file}.insertAnonymous`), statement(`${file}.insertUser`)]
  const writes = rows.map(({ key, visitor: { user, device } }): Statement => {
    const place = [app, date, lane, ...key, device]
    return user === '' ? { query: anonymous, params: place } : { query: identified, params: [[user], ...place] }
  })
  return splitByCount(writes, ROWS_PER_BATCH)
}

/**
 * Statements that remove rows of one table, in batches that touch its partition only. If `present`, the current rows of
 * the partition, has no other visitor of a device, the whole row is removed, which is required for rows from before
 * migration 12.
 */
export function rowRemovals(lane: number, change: VisitorChange, present: readonly VisitorRow[]): Statement[][] {
  const { table, app, date, rows } = change
  const file = queryFile(table)
  const removed = new Set(rows.map(textOf))
  const staying = new Set(present.filter((row) => !removed.has(textOf(row))).map(deviceTextOf))
  const removals = rows.flatMap((row): Statement[] => {
    const {
      key,
      visitor: { user, device },
    } = row
    const place = [app, date, lane, ...key]
    const whole = (user: string): Statement => ({
      query: statement(`${file}.remove`),
      params: [...place, user, device],
    })
    const ownRow = user === '' ? [] : [whole(user)]
    if (!staying.has(deviceTextOf(row))) return [...ownRow, whole('')]
    const removal =
      user === ''
        ? { query: statement(`${file}.removeAnonymous`), params: [...place, device] }
        : { query: statement(`${file}.removeUser`), params: [[user], ...place, device] }
    return [...ownRow, removal]
  })
  return splitByCount(removals, ROWS_PER_BATCH)
}

/** The visitors of a table row: one device, alone and with each of its users. */
function visitorsOfRow(row: types.Row): Visitor[] {
  const [user, device] = [row.get('user') as string, row.get('device') as string]
  const users = (row.get('users') as string[] | null) ?? []
  // A row from before migration 12 has its user, or '', in `user`.
  if (user !== '' || (users.length === 0 && row.get('anonymous') === null)) return [{ user, device }]
  const known = users.map((each) => ({ user: each, device }))
  return row.get('anonymous') === true ? [{ user: '', device }, ...known] : known
}

function textOf({ key, visitor }: VisitorRow): string {
  return JSON.stringify([key, visitorName(visitor)])
}

function deviceTextOf({ key, visitor: { device } }: VisitorRow): string {
  return JSON.stringify([key, device])
}

/**
 * Writes a block under a new id. A redelivered batch may have other rows left to write, so it must not overwrite the
 * earlier block.
 */
function blockWrite(lane: number, delta: Delta<VisitorPart>, block: Buffer): Statement[] {
  const id = types.TimeUuid.now()
  return [
    { query: statement('visitor-blocks-by-date.insert'), params: [delta.app, delta.date, lane, id, block] },
    deltaWrite(lane, delta, id),
  ]
}

/** Merges several lists of rows, each row once, with those of a key adjacent. */
export function distinct(lists: readonly (readonly VisitorRow[])[]): VisitorRow[] {
  const keys = new Map<string, Map<string, VisitorRow>>()
  let last: Key | undefined
  let own: Map<string, VisitorRow> | undefined
  for (const row of lists.flat()) {
    const { key, visitor } = row
    if (key !== last || !own) {
      const id = JSON.stringify(key)
      own = keys.get(id)
      if (!own) keys.set(id, (own = new Map<string, VisitorRow>()))
      last = key
    }
    own.set(visitorName(visitor), row)
  }
  return [...keys.values()].flatMap((rows) => [...rows.values()])
}
