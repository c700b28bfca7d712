import { limits, type Meta } from '@hopper/contracts'
import type { CounterRow, Key } from '@hopper/storage'

/** Cuts rows that stand in the order of their weight; `meta.truncated` says so. */
export function largest<T>(rows: T[], meta: Meta): { rows: T[]; meta: Meta } {
  if (rows.length <= limits.answerRowsMax) return { rows, meta }
  return { rows: rows.slice(0, limits.answerRowsMax), meta: { ...meta, truncated: true } }
}

/** Cuts rows that stand in the order of time: the newest stay. */
export function newest<T>(rows: T[], meta: Meta): { rows: T[]; meta: Meta } {
  if (rows.length <= limits.answerRowsMax) return { rows, meta }
  return { rows: rows.slice(-limits.answerRowsMax), meta: { ...meta, truncated: true } }
}

/** Counters summed by a part of the key, over dates and the rest of the key. */
export function sumBy(
  rows: readonly CounterRow[],
  keyOf: (row: CounterRow) => Key,
): { key: Key; counters: number[] }[] {
  const sums = new Map<string, { key: Key; counters: number[] }>()
  for (const row of rows) {
    const key = keyOf(row)
    const name = JSON.stringify(key)
    const sum = sums.get(name)
    if (!sum) sums.set(name, { key, counters: [...row.counters] })
    else row.counters.forEach((value, index) => (sum.counters[index]! += value))
  }
  return [...sums.values()]
}

/** `a / b`, and null where there is nothing to divide by: a share or an average of nothing is no number. */
export function ratio(a: number, b: number): number | null {
  return b === 0 ? null : a / b
}

/** The order of texts by code point, the same on every machine. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
