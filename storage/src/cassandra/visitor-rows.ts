import { types, type Client } from 'cassandra-driver'
import { visitorTables, type Key, type KeyValue, type VisitorTableName } from '../ports/table-definitions.ts'
import type { LaneBatch, VisitorChange } from '../ports/tables.ts'
import { inParts } from './in-parts.ts'
import { queryFile, rowsOf, statement, type Statement } from './statements.ts'
import { packVisitors, visitorsOf, type VisitorRow } from './visitor-block.ts'

/** Fewer rows of an app and date in a batch are written as rows, which are one however often they are written. */
const PACKED_ROWS_MIN = 256
const ROWS_PER_BLOCK = 20_000
const ROWS_PER_BATCH = 300

/** Where rows of visitors stand, and below which prefix of their key. */
export interface VisitorPlace {
  readonly table: VisitorTableName
  readonly app: string
  readonly date: string
  readonly lane: number
  readonly prefix: Key
}

/** What writes the visitors of a batch, as batches that each touch one partition: rows when they are few, else blocks that hold those of all tables. */
export function visitorWrites({ lane, visitors }: Pick<LaneBatch, 'lane' | 'visitors'>, packedRowsMin = PACKED_ROWS_MIN): Statement[][] {
  const partitions = Map.groupBy(visitors, ({ app, date }) => JSON.stringify([app, date]))
  return [...partitions.values()].flatMap((changes) => {
    const rows = changes.reduce((sum, change) => sum + change.rows.length, 0)
    return rows < packedRowsMin ? changes.flatMap((change) => rowWrites(lane, change)) : blockWrites(lane, changes)
  })
}

/** The rows, each once, those of a key side by side. */
export async function readVisitorRows(client: Client, { table, app, date, lane, prefix }: VisitorPlace): Promise<VisitorRow[]> {
  const columns = Object.keys(visitorTables[table].key)
  const [rows, blocks] = await Promise.all([
    rowsOf(client, `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`, [app, date, lane, ...prefix]),
    rowsOf(client, 'visitor-blocks-by-date.read', [app, date, lane]),
  ])
  const found = rows.map((row): VisitorRow => ({
    key: columns.map((column) => row.get(column) as KeyValue), visitor: { user: row.get('user') as string, device: row.get('device') as string },
  }))
  return blocks.length === 0 ? found : distinct([found, ...blocks.map((row) => visitorsOf(row.get('block') as Uint8Array, table, prefix))])
}

function rowWrites(lane: number, { table, app, date, rows }: VisitorChange): Statement[][] {
  const query = statement(`${queryFile(table)}.insert`)
  return inParts(rows.map(({ key, visitor }) => ({ query, params: [app, date, lane, ...key, visitor.user, visitor.device] })), ROWS_PER_BATCH)
}

/** Each block has an id of its own: which rows a batch still has to write depends on what its owner knows, so nothing may be written over. */
function blockWrites(lane: number, changes: readonly VisitorChange[]): Statement[][] {
  const query = statement('visitor-blocks-by-date.insert')
  const { app, date } = changes[0]!
  return blocksOf(changes).map((some) => [{ query, params: [app, date, lane, types.TimeUuid.now(), packVisitors(some)] }])
}

/** The changes in blocks of so many rows, nearly always one. */
function blocksOf(changes: readonly VisitorChange[]): VisitorChange[][] {
  const blocks: VisitorChange[][] = []
  let left = 0
  for (const change of changes) {
    for (let at = 0; at < change.rows.length; ) {
      if (left === 0) {
        blocks.push([])
        left = ROWS_PER_BLOCK
      }
      const rows = change.rows.slice(at, at + left)
      blocks.at(-1)!.push({ ...change, rows })
      left -= rows.length
      at += rows.length
    }
  }
  return blocks
}

function distinct(lists: readonly (readonly VisitorRow[])[]): VisitorRow[] {
  const keys = new Map<string, Map<string, VisitorRow>>()
  let last: Key | undefined
  let own: Map<string, VisitorRow> | undefined
  for (const row of lists.flat()) {
    const { key, visitor: { user, device } } = row
    if (key !== last || !own) {
      const id = JSON.stringify(key)
      own = keys.get(id)
      if (!own) keys.set(id, (own = new Map()))
      last = key
    }
    own.set(`${user.length} ${user}${device}`, row)
  }
  return [...keys.values()].flatMap((rows) => [...rows.values()])
}
