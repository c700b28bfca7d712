import { limits, type Meta } from '@hopper/contracts'
import type { CounterRow, Key } from '@hopper/storage'

/** Truncates rows that are sorted by weight and sets `meta.truncated`. */
export function keepLargest<T>(rows: T[], meta: Meta): { rows: T[]; meta: Meta } {
  if (rows.length <= limits.answerRowsMax) return { rows, meta }
  return { rows: rows.slice(0, limits.answerRowsMax), meta: { ...meta, truncated: true } }
}

/** Truncates rows that are sorted by time, keeping the newest, and sets `meta.truncated`. */
export function keepNewest<T>(rows: T[], meta: Meta): { rows: T[]; meta: Meta } {
  if (rows.length <= limits.answerRowsMax) return { rows, meta }
  return { rows: rows.slice(-limits.answerRowsMax), meta: { ...meta, truncated: true } }
}

/** Sums counters by a part of the key, over dates and the rest of the key. */
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

/** Returns `a / b`, or null if `b` is 0: a share or average of nothing is not a number. */
export function ratio(a: number, b: number): number | null {
  return b === 0 ? null : a / b
}

/** Compares texts by code unit, so that the order is the same on every machine. */
export function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
