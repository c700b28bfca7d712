import type { ChunkCover, EncodedChunk } from '@hopper/contracts'
import { DeviceCursor, spansOf } from '../scan/device-cursor.ts'
import type { Chunk, Runs } from './chunk.ts'
import { CHUNK_ROWS_MAX, numbered, partsOf } from './encode-chunk.ts'
import { numberColumns, type NumberColumn } from './event-keys.ts'
import { pickIds } from './ids.ts'
import type { DeviceRuns, RowColumns } from './row-columns.ts'
import { Dictionary, type ValueCodes } from './value-column.ts'

/** What a slice has of rows times columns, 4 bytes each: senders choose the keys, so that many chunks may have very many of them together. */
const SLICE_VALUES_MAX = 60_000_000

/** Some devices of many chunks with all their rows, in order: row i is row `rows[i]` of the chunk `chunks[i]`. */
interface Slice {
  readonly chunks: number[]
  readonly rows: number[]
  readonly runs: { readonly high: number[]; readonly low: number[]; readonly rows: number[]; readonly chunks: number[]; readonly places: number[] }
}

/** What the order of rows needs of a chunk. */
interface Source {
  readonly chunk: number
  readonly runs: Runs
  readonly order: readonly Float64Array[]
}

/**
 * Merges chunks of one lane into one span with the same rows, sorted. The chunks must cover their positions completely: what has been
 * covered between the first and the last of them becomes what the span covers. It works by slices of whole devices, so that of each span only
 * one part is decoded at a time when the chunks share a bounded cache.
 */
export function mergeChunks(chunks: readonly Chunk[], rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  const summaries = chunks.map((chunk) => chunk.summary)
  const first = summaries[0]
  if (!first) return []
  const cover: ChunkCover = {
    app: first.app,
    lane: first.lane,
    date: summaries.map((s) => s.date).sort()[0]!,
    first_position: Math.min(...summaries.map((s) => s.first_position)),
    last_position: Math.max(...summaries.map((s) => s.last_position)),
  }
  const parts: EncodedChunk[] = []
  const columns = new Set(summaries.flatMap((summary) => Object.keys(summary.columns))).size
  for (const slice of slicesOf(chunks, Math.min(rowsMax, Math.ceil(SLICE_VALUES_MAX / columns)))) parts.push(...partsOf(sliceColumns(chunks, slice), cover, rowsMax))
  return numbered(parts)
}

/** Slices of at most `rowsMax` rows, or of one device that has more. */
function* slicesOf(chunks: readonly Chunk[], rowsMax: number): Generator<Slice> {
  const indexes = new Map(chunks.map((chunk, index) => [chunk, index]))
  const cursor = new DeviceCursor(spansOf(chunks), (chunk): Source => ({
    chunk: indexes.get(chunk)!,
    runs: chunk.runs(),
    order: [chunk.times(), chunk.numbers('seq'), chunk.numbers('position'), chunk.numbers('index')],
  }))
  let slice = emptySlice()
  while (cursor.next()) {
    let rows = 0
    for (let s = 0; s < cursor.segments; s++) rows += cursor.ends[s]! - cursor.begins[s]!
    if (slice.rows.length > 0 && slice.rows.length + rows > rowsMax) {
      yield slice
      slice = emptySlice()
    }
    addDevice(slice, cursor, rows)
  }
  if (slice.rows.length > 0) yield slice
}

function emptySlice(): Slice {
  return { chunks: [], rows: [], runs: { high: [], low: [], rows: [], chunks: [], places: [] } }
}

function addDevice({ chunks, rows, runs }: Slice, cursor: DeviceCursor<Source>, count: number): void {
  const first = cursor.prepared[0]!
  runs.high.push(first.runs.high[cursor.run]!)
  runs.low.push(first.runs.low[cursor.run]!)
  runs.rows.push(count)
  runs.chunks.push(first.chunk)
  runs.places.push(cursor.run)
  if (isSorted(cursor)) {
    for (let s = 0; s < cursor.segments; s++) {
      const { chunk } = cursor.prepared[s]!
      for (let row = cursor.begins[s]!; row < cursor.ends[s]!; row++) {
        chunks.push(chunk)
        rows.push(row)
      }
    }
    return
  }
  const places = Array.from({ length: cursor.segments }, (_, s) => s).flatMap((s) =>
    Array.from({ length: cursor.ends[s]! - cursor.begins[s]! }, (_, i) => ({ source: cursor.prepared[s]!, row: cursor.begins[s]! + i })))
  for (const { source, row } of places.sort((a, b) => compare(a.source, a.row, b.source, b.row))) {
    chunks.push(source.chunk)
    rows.push(row)
  }
}

/** Whether the segments of a device follow each other; they do not when its events came late or out of order. */
function isSorted({ segments, prepared, begins, ends }: DeviceCursor<Source>): boolean {
  for (let s = 1; s < segments; s++) if (compare(prepared[s - 1]!, ends[s - 1]! - 1, prepared[s]!, begins[s]!) >= 0) return false
  return true
}

function compare(a: Source, aRow: number, b: Source, bRow: number): number {
  for (let column = 0; column < a.order.length; column++) {
    const difference = a.order[column]![aRow]! - b.order[column]![bRow]!
    if (difference !== 0) return difference
  }
  return 0
}

function sliceColumns(chunks: readonly Chunk[], slice: Slice): RowColumns {
  const sources = Uint32Array.from(slice.chunks)
  const rows = Uint32Array.from(slice.rows)
  const used = [...new Set(slice.chunks)]
  const numbers = Object.fromEntries(
    numberColumns.map((name) => {
      const columns = ofUsed(used, (index) => chunks[index]!.numbers(name))
      return [name, Float64Array.from(rows, (row, i) => columns[sources[i]!]![row]!)]
    }),
  ) as Record<NumberColumn, Float64Array>
  const names = new Set(used.flatMap((index) => chunks[index]!.valueColumns()))
  return {
    rows: rows.length,
    runs: runsOfSlice(chunks, slice),
    numbers,
    eventIds: pickIds(ofUsed(used, (index) => chunks[index]!.eventIds()), sources, rows),
    values: new Map([...names].map((name) => [name, valuesOfSlice(ofUsed(used, (index) => chunks[index]!.values(name)), sources, rows)])),
  }
}

/** An array by the index of the chunk, filled for those in use. */
function ofUsed<T>(used: readonly number[], of: (index: number) => T): T[] {
  const array: T[] = []
  for (const index of used) array[index] = of(index)
  return array
}

function runsOfSlice(chunks: readonly Chunk[], { runs }: Slice): DeviceRuns {
  const ids = ofUsed([...new Set(runs.chunks)], (index) => chunks[index]!.deviceIds())
  const deviceIds = pickIds(ids, Uint32Array.from(runs.chunks), Uint32Array.from(runs.places))
  return { high: Uint32Array.from(runs.high), low: Uint32Array.from(runs.low), rows: Uint32Array.from(runs.rows), deviceIds }
}

/** A value is looked up once for each chunk that has it in the slice. */
function valuesOfSlice(columns: readonly ReturnType<Chunk['values']>[], sources: Uint32Array, rows: Uint32Array): ValueCodes {
  const dictionary = new Dictionary()
  const none = dictionary.code(null)
  const renamed = columns.map((column) => column && new Int32Array(column.values.length).fill(-1))
  const codes = new Uint32Array(rows.length)
  for (let i = 0; i < codes.length; i++) {
    const source = sources[i]!
    const column = columns[source]
    if (!column) {
      codes[i] = none
      continue
    }
    const names = renamed[source]!
    const code = column.codes[rows[i]!]!
    if (names[code]! < 0) names[code] = dictionary.code(column.values[code]!)
    codes[i] = names[code]!
  }
  return { codes, values: dictionary.values }
}
