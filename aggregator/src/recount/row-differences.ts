import type { CounterPartitionRow, VisitorChange } from '@hopper/storage'
import { rowKey } from '../fold/row-key.ts'
import { visitorRowKey } from '../fold/visitor-rows.ts'

/** Returns the differences that make counter rows equal to a recount; rows without a difference are left out. */
export function counterDifferences(
  found: readonly CounterPartitionRow[],
  expected: readonly CounterPartitionRow[],
): { key: CounterPartitionRow['key']; deltas: number[] }[] {
  const [actual, wanted] = [found, expected].map((rows) => new Map(rows.map((row) => [rowKey(row.key), row.counters])))
  const all = new Map([...found, ...expected].map((row) => [rowKey(row.key), row]))
  return [...all]
    .map(([id, { key, counters }]) => ({
      key,
      deltas: counters.map((_, i) => (wanted!.get(id)?.[i] ?? 0) - (actual!.get(id)?.[i] ?? 0)),
    }))
    .filter(({ deltas }) => deltas.some((delta) => delta !== 0))
}

/** Returns the visitor rows that are not among others. */
export function rowsWithout(rows: VisitorChange['rows'], others: VisitorChange['rows']): VisitorChange['rows'] {
  const known = new Set(others.map(visitorRowKey))
  return rows.filter((row) => !known.has(visitorRowKey(row)))
}
