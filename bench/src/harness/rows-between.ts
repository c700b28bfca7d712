import type { NumberColumn, RowColumns } from '@hopper/engine'

/** Returns the rows of a time range, as the chunks of one day contain them. */
export function rowsBetween(columns: RowColumns, from: number, to: number): RowColumns {
  const selected: number[] = []
  const runs: number[] = []
  const counts: number[] = []
  for (let run = 0, row = 0; run < columns.runs.rows.length; run++) {
    const before = selected.length
    for (const end = row + columns.runs.rows[run]!; row < end; row++) {
      const at = columns.numbers.timestamp[row]!
      if (at >= from && at < to) selected.push(row)
    }
    if (selected.length > before) {
      runs.push(run)
      counts.push(selected.length - before)
    }
  }
  const bytes = (from: Uint8Array, places: readonly number[]): Uint8Array => {
    const out = new Uint8Array(places.length * 16)
    places.forEach((place, i) => out.set(from.subarray(place * 16, place * 16 + 16), i * 16))
    return out
  }
  return {
    rows: selected.length,
    runs: {
      high: Uint32Array.from(runs, (run) => columns.runs.high[run]!),
      low: Uint32Array.from(runs, (run) => columns.runs.low[run]!),
      rows: Uint32Array.from(counts),
      deviceIds: { length: runs.length, bytes: bytes(columns.runs.deviceIds.bytes, runs), texts: new Map() },
    },
    numbers: Object.fromEntries(
      Object.entries(columns.numbers).map(([name, values]) => [
        name,
        Float64Array.from(selected, (row) => values[row]!),
      ]),
    ) as Record<NumberColumn, Float64Array>,
    eventIds: { length: selected.length, bytes: bytes(columns.eventIds.bytes, selected), texts: new Map() },
    values: new Map(
      [...columns.values].map(([name, { codes, values }]) => [
        name,
        { codes: Uint32Array.from(selected, (row) => codes[row]!), values },
      ]),
    ),
  }
}
