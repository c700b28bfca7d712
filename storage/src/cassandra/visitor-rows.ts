import { types, type Client } from 'cassandra-driver'
import { visitorTables, type Key, type KeyValue } from '../ports/table-definitions.ts'
import type { VisitorChange } from '../ports/tables.ts'
import { inParts } from './in-parts.ts'
import { queryFile, rowsOf, statement, type Statement } from './statements.ts'
import { packVisitors, visitorName, visitorsOf, type VisitorRow } from './visitor-block.ts'
import { deltaWrite, type Delta } from './visitor-deltas.ts'
import type { VisitorPart } from './visitor-parts.ts'
import type { VisitorPlace } from './visitor-place.ts'

/** Fewer rows of a part are written as rows, which are one however often they are written. */
export const PACKED_ROWS_MIN = 256
const ROWS_PER_BATCH = 300

/**
 * What writes the visitors of a batch and tells of them, as batches that each touch one partition: the rows of a part when they are few, else its block.
 */
export function visitorWrites(lane: number, deltas: readonly Delta<VisitorPart>[], packedRowsMin = PACKED_ROWS_MIN): Statement[][] {
  return deltas.flatMap((delta) => {
    const block = packVisitors(delta.changes)
    if (delta.rows >= packedRowsMin) return [blockWrite(lane, delta, block)]
    const [first = [], ...rest] = delta.changes.flatMap((change) => rowWrites(lane, change))
    return [[...first, deltaWrite(lane, delta, block)], ...rest]
  })
}

/**
 * Reads the rows, each once, those of a key side by side. The blocks are read before the rows: a block is deleted after its rows were written, so a row is in
 * one of the two answers, whatever is written out meanwhile.
 */
export async function readVisitorRows(client: Client, { table, app, date, lane, prefix }: VisitorPlace): Promise<VisitorRow[]> {
  const columns = Object.keys(visitorTables[table].key)
  const blocks = await rowsOf(client, 'visitor-blocks-by-date.read', [app, date, lane])
  const rows = await rowsOf(client, `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`, [app, date, lane, ...prefix])
  const found = rows.map((row): VisitorRow => ({
    key: columns.map((column) => row.get(column) as KeyValue), visitor: { user: row.get('user') as string, device: row.get('device') as string },
  }))
  return blocks.length === 0 ? found : distinct([found, ...blocks.map((row) => visitorsOf(row.get('block') as Uint8Array, table, prefix))])
}

/** What writes rows of one table as rows, as batches that each touch its partition. */
export function rowWrites(lane: number, { table, app, date, rows }: VisitorChange): Statement[][] {
  const query = statement(`${queryFile(table)}.insert`)
  return inParts(rows.map(({ key, visitor }) => ({ query, params: [app, date, lane, ...key, visitor.user, visitor.device] })), ROWS_PER_BATCH)
}

/** What removes rows of one table, as batches that each touch its partition. */
export function rowRemovals(lane: number, { table, app, date, rows }: VisitorChange): Statement[][] {
  const query = statement(`${queryFile(table)}.remove`)
  return inParts(rows.map(({ key, visitor }) => ({ query, params: [app, date, lane, ...key, visitor.user, visitor.device] })), ROWS_PER_BATCH)
}

/** Each block has an id of its own: which rows a batch still has to write depends on what its owner knows, so nothing may be written over. */
function blockWrite(lane: number, delta: Delta<VisitorPart>, block: Buffer): Statement[] {
  const id = types.TimeUuid.now()
  return [{ query: statement('visitor-blocks-by-date.insert'), params: [delta.app, delta.date, lane, id, block] }, deltaWrite(lane, delta, id)]
}

/** The rows of several lists, each once, those of a key side by side. */
export function distinct(lists: readonly (readonly VisitorRow[])[]): VisitorRow[] {
  const keys = new Map<string, Map<string, VisitorRow>>()
  let last: Key | undefined
  let own: Map<string, VisitorRow> | undefined
  for (const row of lists.flat()) {
    const { key, visitor } = row
    if (key !== last || !own) {
      const id = JSON.stringify(key)
      own = keys.get(id)
      if (!own) keys.set(id, (own = new Map()))
      last = key
    }
    own.set(visitorName(visitor), row)
  }
  return [...keys.values()].flatMap((rows) => [...rows.values()])
}
