import { rowKey, visitorRowKey } from '@hopper/aggregator'
import type { CounterPartition, CounterPartitionRow, VisitorChange, VisitorPartition } from '@hopper/storage'
import type { CounterDrift, VisitorDrift } from './drift.ts'

/** A counter partition, read at one point in time. */
export interface CountedPartition {
  readonly partition: CounterPartition
  readonly applied: number
  readonly rows: readonly CounterPartitionRow[]
}

/** Returns the counter rows in which the tables differ from the recount. */
export function compareCounters(
  lane: number,
  { partition, applied, rows }: CountedPartition,
  expected: readonly CounterPartitionRow[],
): CounterDrift[] {
  const required = new Map(expected.map((row) => [rowKey(row.key), row]))
  const found = new Map(rows.map((row) => [rowKey(row.key), row]))
  return [...new Map([...found, ...required])].flatMap(([id, { key, counters }]) => {
    const zeros = counters.map(() => 0)
    const [actual, wanted] = [found.get(id)?.counters ?? zeros, required.get(id)?.counters ?? zeros]
    if (actual.every((value, i) => value === wanted[i])) return []
    return [{ kind: 'counter' as const, ...partition, lane, key, applied, found: actual, expected: wanted }]
  })
}

/**
 * Returns required rows that are missing, and rows that no event accounts for: they are neither required nor allowed to
 * exist already.
 */
export function compareVisitors(
  lane: number,
  partition: VisitorPartition,
  found: VisitorChange['rows'],
  required: VisitorChange['rows'],
  allowed: VisitorChange['rows'],
): VisitorDrift[] {
  const [actual, wanted, optional] = [found, required, allowed].map(
    (rows) => new Map(rows.map((row) => [visitorRowKey(row), row])),
  ) as [Rows, Rows, Rows]
  const missing = [...wanted].filter(([id]) => !actual.has(id))
  const surplus = [...actual].filter(([id]) => !wanted.has(id) && !optional.has(id))
  const driftOf = (kind: VisitorDrift['kind'], rows: typeof missing): VisitorDrift[] =>
    rows.map(([, row]) => ({ kind, ...partition, lane, ...row }))
  return [...driftOf('missing', missing), ...driftOf('surplus', surplus)]
}

type Rows = Map<string, VisitorChange['rows'][number]>
