import { numberColumns, type NumberColumn } from './event-keys.ts'
import type { Ids } from './ids.ts'
import { sliceSpilled, type SpilledEntries } from './spilled-entries.ts'
import type { ValueCodes } from './value-column.ts'

/** One entry per device, ascending by hash. The rows of a device are adjacent. */
export interface DeviceRuns {
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly rows: Uint32Array
  readonly deviceIds: Ids
}

/** Sorted events as unpacked columns, the intermediate form for encoding and merging chunks. */
export interface RowColumns {
  readonly rows: number
  readonly runs: DeviceRuns
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>
  readonly eventIds: Ids
  readonly values: ReadonlyMap<string, ValueCodes>
  /** values of keys that are not in `values` */
  readonly spilled?: SpilledEntries
}

/**
 * Returns the rows from `begin` up to `end`, which may split a device. Dictionaries are shared with the source; packing
 * drops unused values.
 */
export function sliceColumns(columns: RowColumns, begin: number, end: number): RowColumns {
  const { runs } = columns
  const rows: number[] = []
  let first = -1
  let last = -1
  for (let run = 0, start = 0; run < runs.rows.length; start += runs.rows[run]!, run++) {
    const inside = Math.min(start + runs.rows[run]!, end) - Math.max(start, begin)
    if (inside <= 0) continue
    if (first < 0) first = run
    last = run
    rows.push(inside)
  }
  const texts = new Map<number, string>()
  for (let i = begin; i < end && columns.eventIds.texts.size > 0; i++) {
    const text = columns.eventIds.texts.get(i)
    if (text !== undefined) texts.set(i - begin, text)
  }
  const devices = new Map<number, string>()
  for (const [i, text] of runs.deviceIds.texts) if (i >= first && i <= last) devices.set(i - first, text)
  const spilled = columns.spilled && sliceSpilled(columns.spilled, begin, end)
  return {
    ...(spilled ? { spilled } : {}),
    rows: end - begin,
    runs: {
      high: runs.high.subarray(first, last + 1),
      low: runs.low.subarray(first, last + 1),
      rows: Uint32Array.from(rows),
      deviceIds: {
        length: last + 1 - first,
        bytes: runs.deviceIds.bytes.subarray(first * 16, (last + 1) * 16),
        texts: devices,
      },
    },
    numbers: Object.fromEntries(
      numberColumns.map((name) => [name, columns.numbers[name].subarray(begin, end)]),
    ) as Record<NumberColumn, Float64Array>,
    eventIds: { length: end - begin, bytes: columns.eventIds.bytes.subarray(begin * 16, end * 16), texts },
    values: new Map(
      [...columns.values].map(([name, { codes, values }]) => [name, { codes: codes.subarray(begin, end), values }]),
    ),
  }
}
