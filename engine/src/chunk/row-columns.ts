import { deviceHash, type ArchivedEvent } from '@hopper/contracts'
import { numberColumns, type NumberColumn } from './event-keys.ts'
import { idsOf, type Ids } from './ids.ts'
import { valuesOf, type ValueCodes } from './value-columns.ts'

/** One entry a device, ascending by hash: its rows stand together. */
export interface DeviceRuns {
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly rows: Uint32Array
  readonly deviceIds: Ids
}

/** Sorted events as columns, not yet packed: what chunks are made of and merged through. */
export interface RowColumns {
  readonly rows: number
  readonly runs: DeviceRuns
  readonly numbers: Readonly<Record<NumberColumn, Float64Array>>
  readonly eventIds: Ids
  readonly values: ReadonlyMap<string, ValueCodes>
}

interface Keyed {
  readonly row: ArchivedEvent
  readonly high: number
  readonly low: number
}

/** The order of rows: device hash, timestamp, `seq`, then place in the log. */
function compare(a: Keyed, b: Keyed): number {
  return (
    a.high - b.high || a.low - b.low || a.row.event.timestamp - b.row.event.timestamp || a.row.event.seq - b.row.event.seq ||
    a.row.position - b.row.position || a.row.index - b.row.index
  )
}

/** Sorts the events of one app and lane and takes them apart into columns. */
export function columnsOfRows(app: string, rows: readonly ArchivedEvent[]): RowColumns {
  const hashes = new Map<string, { high: number; low: number }>()
  const keyed = rows.map((row): Keyed => {
    let hash = hashes.get(row.device_id)
    if (!hash) hashes.set(row.device_id, (hash = deviceHash(app, row.device_id)))
    return { row, high: hash.high, low: hash.low }
  })
  keyed.sort(compare)
  const numbers = Object.fromEntries(numberColumns.map((name) => [name, new Float64Array(rows.length)])) as Record<NumberColumn, Float64Array>
  keyed.forEach(({ row }, i) => {
    numbers.timestamp[i] = row.event.timestamp
    numbers.seq[i] = row.event.seq
    numbers.position[i] = row.position
    numbers.index[i] = row.index
    numbers.received_at[i] = row.received_at
  })
  return { rows: rows.length, runs: runsOf(keyed), numbers, eventIds: idsOf(keyed.map(({ row }) => row.event.event_id)), values: valuesOf(keyed.map(({ row }) => row)) }
}

function runsOf(keyed: readonly Keyed[]): DeviceRuns {
  const firsts = keyed.filter((k, i) => i === 0 || k.high !== keyed[i - 1]!.high || k.low !== keyed[i - 1]!.low)
  const rows = new Uint32Array(firsts.length)
  let run = -1
  for (const k of keyed) {
    if (k === firsts[run + 1]) run++
    rows[run]!++
  }
  return {
    high: Uint32Array.from(firsts, (k) => k.high),
    low: Uint32Array.from(firsts, (k) => k.low),
    rows,
    deviceIds: idsOf(firsts.map((k) => k.row.device_id)),
  }
}

/** Rows from `begin` up to `end`, which may cut a device in two. Dictionaries are shared: packing drops what no row uses. */
export function sliceColumns(columns: RowColumns, begin: number, end: number): RowColumns {
  const { runs } = columns
  const rows: number[] = []
  let first = -1
  let last = -1
  for (let run = 0, at = 0; run < runs.rows.length; at += runs.rows[run]!, run++) {
    const inside = Math.min(at + runs.rows[run]!, end) - Math.max(at, begin)
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
  return {
    rows: end - begin,
    runs: {
      high: runs.high.subarray(first, last + 1),
      low: runs.low.subarray(first, last + 1),
      rows: Uint32Array.from(rows),
      deviceIds: { length: last + 1 - first, bytes: runs.deviceIds.bytes.subarray(first * 16, (last + 1) * 16), texts: devices },
    },
    numbers: Object.fromEntries(numberColumns.map((name) => [name, columns.numbers[name].subarray(begin, end)])) as Record<NumberColumn, Float64Array>,
    eventIds: { length: end - begin, bytes: columns.eventIds.bytes.subarray(begin * 16, end * 16), texts },
    values: new Map([...columns.values].map(([name, { codes, values }]) => [name, { codes: codes.subarray(begin, end), values }])),
  }
}
