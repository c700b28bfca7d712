import type { Chunk, RunReader } from '../../chunk/chunk.ts'
import type { Codes } from '../../chunk/encoding/codes.ts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
import type { Symbols } from '../plan/funnel-plan.ts'
import type { UnitRows } from './unit-rows.ts'

/** A chunk while a scan is in it. */
export interface Prepared extends Symbols {
  readonly chunk: Chunk
  /** the chunk's runs: run r has the rows `starts[r]` up to `starts[r + 1]` */
  readonly starts: Uint32Array
  /** of use only where `runs` has a device that passes */
  readonly times: TimeOffsets
  /** every row lies between the query's `from` and `end` */
  readonly inside: boolean
  readonly groupCodes: Codes
  /** number of the breakdown value by code; empty when no row has one */
  readonly groupTable: Int32Array
  /** number of the match values of a row, when some are compared */
  readonly match: ((row: number) => number) | undefined
  /** rows before `from` and from `until` on are not looked at */
  readonly from: number
  readonly until: number
  /** made when the first tie may have to be broken */
  places: RunPlaces | undefined
}

/** Whether any of the rows from `begin` up to `end` does. */
export function meansSomething(
  { codes, table, times: { base, offsets }, inside, from, until }: Prepared,
  begin: number,
  end: number,
): boolean {
  for (let row = begin; row < end; row++) {
    if (table[codes[row]!] !== 0 && (inside || (base + offsets[row]! >= from && base + offsets[row]! < until)))
      return true
  }
  return false
}

/** The rows from `begin` up to `end` that mean something. */
export function gatherSegment(rows: UnitRows, prepared: Prepared, begin: number, end: number): void {
  const { codes, table, from, until, groupCodes, groupTable, match } = prepared
  const { base, offsets } = prepared.times
  rows.reserve(end - begin)
  for (let row = begin; row < end; row++) {
    const symbol = table[codes[row]!]!
    if (symbol === 0) continue
    const time = base + offsets[row]!
    if (time < from || time >= until) continue
    const at = rows.length++
    rows.time[at] = time
    rows.symbol[at] = symbol
    rows.group[at] = groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
    if (match) rows.match[at] = match(row)
  }
}

/** What breaks ties between the rows of one run at a time. */
export class RunPlaces {
  seq = new Float64Array(1024)
  position = new Float64Array(1024)
  index = new Float64Array(1024)
  readonly #starts: Uint32Array
  readonly #readers: readonly RunReader[]

  constructor(chunk: Chunk) {
    this.#starts = chunk.runs().starts
    this.#readers = [chunk.runReader('seq'), chunk.runReader('position'), chunk.runReader('index')]
  }

  read(run: number): void {
    const rows = this.#starts[run + 1]! - this.#starts[run]!
    if (this.seq.length < rows)
      [this.seq, this.position, this.index] = [new Float64Array(rows), new Float64Array(rows), new Float64Array(rows)]
    const [seq, position, index] = this.#readers
    seq!(run, this.seq)
    position!(run, this.position)
    index!(run, this.index)
  }
}

/**
 * As `gatherSegment` for the rows of a run, with what breaks ties and the row as `unit`. `all` takes events that mean
 * nothing too.
 */
export function gatherPlaces(rows: UnitRows, prepared: Prepared, run: number, lane: number, all: boolean): void {
  const first = rows.length
  gatherUnplaced(rows, prepared, run, lane, all)
  if (rows.length === first) return
  const begin = prepared.starts[run]!
  const places = (prepared.places ??= new RunPlaces(prepared.chunk))
  places.read(run)
  for (let at = first; at < rows.length; at++) {
    const place = rows.unit[at]! - begin
    rows.seq[at] = places.seq[place]!
    rows.position[at] = places.position[place]!
    rows.index[at] = places.index[place]!
  }
}

/** The same without what breaks ties. */
export function gatherUnplaced(rows: UnitRows, prepared: Prepared, run: number, lane: number, all: boolean): void {
  const { starts, codes, table, from, until, groupCodes, groupTable, match } = prepared
  const begin = starts[run]!
  const end = starts[run + 1]!
  const { base, offsets } = prepared.times
  rows.reserve(end - begin)
  for (let row = begin; row < end; row++) {
    const symbol = table[codes[row]!]!
    const time = base + offsets[row]!
    if ((symbol === 0 && !all) || time < from || time >= until) continue
    const at = rows.length++
    rows.time[at] = time
    rows.symbol[at] = symbol
    rows.group[at] = groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
    rows.match[at] = match ? match(row) : -1
    rows.lane[at] = lane
    rows.unit[at] = row
  }
}
