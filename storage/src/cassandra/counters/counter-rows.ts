import type { types } from 'cassandra-driver'
import { counterTables, type CounterTableName, type KeyValue } from '../../ports/table-definitions.ts'
import type { CounterPartitionRow } from '../../ports/tables.ts'
import { compareKeys } from '../client/compare-keys.ts'
import { isRemovable, parseStoredKey } from './key-generations.ts'

/** Decodes rows of a counter table according to its definition; adds up rows of one key in several generations. */
export function counterRows(table: CounterTableName, rows: readonly types.Row[]): CounterPartitionRow[] {
  const all = storedRows(table, rows)
  if (!isRemovable(table)) return all
  const parsed = all.map(({ key, counters }) => ({ ...parseStoredKey(key), counters }))
  return parsed.some(({ generation }) => generation > 0) ? sumOfLanes([parsed]) : all
}

/** Decodes rows of a counter table with the keys under which they are stored. */
export function storedRows(table: CounterTableName, rows: readonly types.Row[]): CounterPartitionRow[] {
  const columns = Object.keys(counterTables[table].key)
  return rows.flatMap((row) => {
    const key = columns.map((column) => row.get(column) as KeyValue)
    // A row that contains only the static watermark has no key and is skipped.
    if (key.some((value) => value === null)) return []
    return {
      key,
      counters: counterTables[table].counters.map((name) => Number((row.get(name) as bigint | null) ?? 0n)),
    }
  })
}

/** Sums the rows of several lanes by key. */
export function sumOfLanes(lanes: readonly (readonly CounterPartitionRow[])[]): CounterPartitionRow[] {
  const sums = new Map<string, CounterPartitionRow & { readonly counters: number[] }>()
  for (const { key, counters } of lanes.flat()) {
    const id = JSON.stringify(key)
    const sum = sums.get(id)
    if (sum) counters.forEach((value, index) => (sum.counters[index]! += value))
    else sums.set(id, { key, counters: [...counters] })
  }
  return [...sums.values()].sort((a, b) => compareKeys(a.key, b.key))
}
