import type { Chunk, RunReader } from '../../chunk/chunk.ts'
import type { Codes } from '../../chunk/encoding/codes.ts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
import type { Symbols } from './plan-state.ts'
import type { UnitRows } from './unit-rows.ts'

/** A chunk prepared for a scan. */
export interface Prepared extends Symbols {
  readonly chunk: Chunk
  /** the chunk's runs: run r has the rows from `starts[r]` up to `starts[r + 1]` */
  readonly starts: Uint32Array
  /** only valid if at least one device passes in `runs` */
  readonly times: TimeOffsets
  /** true if every row is between the query's `from` and `end` */
  readonly inside: boolean
  readonly groupCodes: Codes
  /** number of the breakdown value by code; empty when no row has one */
  readonly groupTable: Int32Array
  /** returns the number of the match values of a row; undefined if the query has no match keys */
  readonly match: ((row: number) => number) | undefined
  /** rows before `from` and from `until` on are ignored */
  readonly from: number
  readonly until: number
  /** created when the first tie may have to be broken */
  places: RunPlaces | undefined
}

/** Returns whether any row from `begin` up to `end` is relevant to the query. */
export function hasRelevantRows(
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

/** Appends the relevant rows from `begin` up to `end`. */
export function gatherSegment(rows: UnitRows, prepared: Prepared, begin: number, end: number): void {
  const { codes, table, from, until, groupCodes, groupTable, match } = prepared
  const { base, offsets } = prepared.times
  rows.reserve(end - begin)
  for (let row = begin; row < end; row++) {
    const symbol = table[codes[row]!]!
    if (symbol === 0) continue
    const time = base + offsets[row]!
    if (time < from || time >= until) continue
    const index = rows.length++
    rows.time[index] = time
    rows.symbol[index] = symbol
    rows.group[index] = groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
    if (match) rows.match[index] = match(row)
  }
}

/** Reads the tie-breakers (`seq`, `position`, `index`) of the rows of one run at a time. */
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
 * Appends the rows of a run like `gatherSegment`, with tie-breakers, and with the row number as `unit`. With `all`,
 * irrelevant events are included.
 */
export function gatherWithTieBreakers(
  rows: UnitRows,
  prepared: Prepared,
  run: number,
  lane: number,
  all: boolean,
): void {
  const first = rows.length
  gatherWithoutTieBreakers(rows, prepared, run, lane, all)
  if (rows.length === first) return
  const begin = prepared.starts[run]!
  const places = (prepared.places ??= new RunPlaces(prepared.chunk))
  places.read(run)
  for (let index = first; index < rows.length; index++) {
    const place = rows.unit[index]! - begin
    rows.seq[index] = places.seq[place]!
    rows.position[index] = places.position[place]!
    rows.index[index] = places.index[place]!
  }
}

/** Appends the rows of a run like `gatherWithTieBreakers`, but without tie-breakers. */
export function gatherWithoutTieBreakers(
  rows: UnitRows,
  prepared: Prepared,
  run: number,
  lane: number,
  all: boolean,
): void {
  const { starts, codes, table, from, until, groupCodes, groupTable, match } = prepared
  const begin = starts[run]!
  const end = starts[run + 1]!
  const { base, offsets } = prepared.times
  rows.reserve(end - begin)
  for (let row = begin; row < end; row++) {
    const symbol = table[codes[row]!]!
    const time = base + offsets[row]!
    if ((symbol === 0 && !all) || time < from || time >= until) continue
    const index = rows.length++
    rows.time[index] = time
    rows.symbol[index] = symbol
    rows.group[index] = groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
    rows.match[index] = match ? match(row) : -1
    rows.lane[index] = lane
    rows.unit[index] = row
  }
}
