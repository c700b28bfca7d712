import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Visitor } from '@hopper/contracts'
import type { Key, VisitorTableName } from '../ports/table-definitions.ts'
import type { VisitorChange } from '../ports/tables.ts'

/** A row of a visitor table. */
export type VisitorRow = VisitorChange['rows'][number]

/** No block of ours unpacks to more. */
const UNPACKED_BYTES_MAX = 64_000_000

/** As it is stored: each visitor once, and for each key of each table the places of those who are in its row. */
interface Packed {
  readonly visitors: [user: string, device: string][]
  readonly tables: Partial<Record<VisitorTableName, [key: Key, visitors: number[]][]>>
}

/** The visitor rows of one app and date as one cell: JSON in a zstd frame. */
export function packVisitors(changes: readonly Pick<VisitorChange, 'table' | 'rows'>[]): Buffer {
  const visitors: Packed['visitors'] = []
  const places = new Map<string, number>()
  const placeOf = ({ user, device }: Visitor): number => {
    const name = `${user.length} ${user}${device}`
    const place = places.get(name) ?? visitors.length
    if (place === visitors.length) {
      places.set(name, place)
      visitors.push([user, device])
    }
    return place
  }
  const tables: Packed['tables'] = {}
  for (const { table, rows } of changes) {
    const keys = new Map<string, [Key, number[]]>(tables[table]?.map((entry) => [JSON.stringify(entry[0]), entry]))
    for (const { key, visitor } of rows) {
      const id = JSON.stringify(key)
      const found = keys.get(id)
      if (found) found[1].push(placeOf(visitor))
      else keys.set(id, [key, [placeOf(visitor)]])
    }
    tables[table] = [...keys.values()]
  }
  return zstdCompressSync(JSON.stringify({ visitors, tables } satisfies Packed))
}

/** The rows of a table in a block, below a prefix of its key. @throws Error when it is damaged */
export function visitorsOf(block: Uint8Array, table: VisitorTableName, prefix: Key): VisitorRow[] {
  const { visitors, tables } = JSON.parse(zstdDecompressSync(block, { maxOutputLength: UNPACKED_BYTES_MAX }).toString()) as Packed
  const names = visitors.map(([user, device]): Visitor => ({ user, device }))
  return (tables[table] ?? []).filter(([key]) => prefix.every((value, at) => key[at] === value)).flatMap(([key, places]) => places.map((place) => ({ key, visitor: names[place]! })))
}
