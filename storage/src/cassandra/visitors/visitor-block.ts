import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Visitor } from '@hopper/contracts'
import type { Key, VisitorTableName } from '../../ports/table-definitions.ts'
import type { VisitorChange } from '../../ports/tables.ts'

/** A row of a visitor table. */
export type VisitorRow = VisitorChange['rows'][number]

/** Upper bound of the unpacked size of a block. */
const UNPACKED_BYTES_MAX = 64_000_000

/**
 * The tables whose rows a block can contain: the visitor tables, and the first identifications of devices, with their
 * place as the key.
 */
export type PackedTable = VisitorTableName | 'first_users'

/** Rows of one of these tables. */
export interface PackedRows {
  readonly table: PackedTable
  readonly rows: readonly VisitorRow[]
}

/** The stored format: each visitor once, and for each key of each table the indexes of the visitors in its rows. */
interface Packed {
  readonly visitors: [user: string, device: string][]
  readonly tables: Partial<Record<PackedTable, [key: Key, visitors: number[]][]>>
}

/** Packs the visitor rows of one app and date into one cell: JSON in a zstd frame. */
export function packVisitors(changes: readonly PackedRows[]): Buffer {
  const visitors: Packed['visitors'] = []
  const placeOf = placesIn(visitors)
  const tables: Packed['tables'] = {}
  for (const { table, rows } of changes) {
    const keys = new Map<string, [Key, number[]]>(tables[table]?.map((entry) => [JSON.stringify(entry[0]), entry]))
    let last: [Key, number[]] | undefined
    for (const { key, visitor } of rows) {
      // Rows of a key are adjacent and share the key object.
      if (key !== last?.[0]) {
        const id = JSON.stringify(key)
        last = keys.get(id)
        if (!last) keys.set(id, (last = [key, []]))
      }
      last[1].push(placeOf(visitor))
    }
    tables[table] = [...keys.values()]
  }
  return zstdCompressSync(JSON.stringify({ visitors, tables } satisfies Packed))
}

/**
 * Returns the index of a visitor in the list, and appends new visitors. A visitor in several tables is usually the same
 * object in all of them, hence the map by object.
 */
function placesIn(visitors: Packed['visitors']): (visitor: Visitor) => number {
  const places = new Map<Visitor, number>()
  const named = new Map<string, number>()
  return (visitor) => {
    let place = places.get(visitor)
    if (place !== undefined) return place
    const name = visitorName(visitor)
    place = named.get(name) ?? visitors.length
    if (place === visitors.length) visitors.push([visitor.user, visitor.device])
    places.set(visitor, place)
    named.set(name, place)
    return place
  }
}

/** A unique text for a visitor; a user's id may contain any character. */
export function visitorName({ user, device }: Visitor): string {
  return `${user.length} ${user}${device}`
}

/**
 * The rows of a table in a block that match a prefix of its key.
 * @throws Error when the block is damaged
 */
export function visitorsOf(block: Uint8Array, table: PackedTable, prefix: Key): VisitorRow[] {
  return rowsOfTable(unpack(block), table).filter(({ key }) => prefix.every((value, index) => key[index] === value))
}

/**
 * The rows of all tables in a block.
 * @throws Error when the block is damaged
 */
export function unpackVisitors(block: Uint8Array): PackedRows[] {
  const packed = unpack(block)
  return (Object.keys(packed.tables) as PackedTable[]).map((table) => ({ table, rows: rowsOfTable(packed, table) }))
}

/** A block with its visitors as objects. */
type Unpacked = Pick<Packed, 'tables'> & { readonly visitors: readonly Visitor[] }

function unpack(block: Uint8Array): Unpacked {
  const { visitors, tables } = JSON.parse(
    zstdDecompressSync(block, { maxOutputLength: UNPACKED_BYTES_MAX }).toString(),
  ) as Packed
  return { tables, visitors: visitors.map(([user, device]) => ({ user, device })) }
}

function rowsOfTable({ tables, visitors }: Unpacked, table: PackedTable): VisitorRow[] {
  return (tables[table] ?? []).flatMap(([key, places]) => places.map((place) => ({ key, visitor: visitors[place]! })))
}
