import type { ChunkCover, EncodedChunk, Value } from '@hopper/contracts'
import { DeviceCursor, spansOf } from '../scan/device-cursor.ts'
import type { Chunk, Runs } from './chunk.ts'
import { CHUNK_ROWS_MAX, numberParts, partsOf } from './encoding/encode-chunk.ts'
import { isFreeColumn, numberColumns, type NumberColumn } from './event-keys.ts'
import { pickIds } from './ids.ts'
import type { DeviceRuns, RowColumns } from './row-columns.ts'
import { chooseOwnKeys, ownKeysMax, SpillBuilder } from './spilled-entries.ts'
import { Dictionary, type ValueCodes } from './value-column.ts'

/** Maximum product of rows and columns of a slice, 4 bytes each. */
const SLICE_VALUES_MAX = 8_000_000
/**
 * Approximate maximum of the unpacked cells of a slice. Repetitive columns pack so well that the size of the cells does
 * not bound their memory.
 */
const SLICE_BYTES_MAX = 32_000_000

/** Some devices with all their rows of many chunks, sorted: row i is row `rows[i]` of the chunk `chunks[i]`. */
interface Slice {
  readonly chunks: number[]
  readonly rows: number[]
  readonly runs: {
    readonly high: number[]
    readonly low: number[]
    readonly rows: number[]
    readonly chunks: number[]
    readonly places: number[]
  }
}

/** The data of a chunk that is needed to order rows. */
interface Source {
  readonly chunk: number
  readonly runs: Runs
  readonly order: readonly Float64Array[]
}

/**
 * Merges chunks of one lane into one span with the same rows, sorted. The chunks must cover all positions between the
 * first and the last of them: the span covers this whole range. Works in slices of whole devices, so that only one part
 * of each span is decoded at a time if the chunks share a bounded cache.
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
  const sliceRowsMax = Math.min(rowsMax, rowsPerSlice(chunks))
  for (const slice of slicesOf(chunks, sliceRowsMax))
    parts.push(...partsOf(sliceColumns(chunks, slice), cover, rowsMax))
  return numberParts(parts)
}

/** Computes the maximum number of rows of a slice, so that its memory is bounded whatever the rows contain. */
function rowsPerSlice(chunks: readonly Chunk[]): number {
  const columns =
    chunks.reduce((most, { summary }) => Math.max(most, Object.keys(summary.columns).length), 0) + ownKeysMax(Infinity)
  const rows = chunks.reduce((sum, { summary }) => sum + summary.rows, 0)
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.unpackedBytes(), 0)
  return Math.max(
    1,
    Math.min(Math.ceil(SLICE_VALUES_MAX / columns), Math.floor((rows * SLICE_BYTES_MAX) / Math.max(1, bytes))),
  )
}

/** Yields slices of at most `rowsMax` rows, or of one device that has more. */
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
    Array.from({ length: cursor.ends[s]! - cursor.begins[s]! }, (_, i) => ({
      source: cursor.prepared[s]!,
      row: cursor.begins[s]! + i,
    })),
  )
  for (const { source, row } of places.sort((a, b) => compare(a.source, a.row, b.source, b.row))) {
    chunks.push(source.chunk)
    rows.push(row)
  }
}

/** Returns whether the segments of a device are in order; they are not if its events arrived late or out of order. */
function isSorted({ segments, prepared, begins, ends }: DeviceCursor<Source>): boolean {
  for (let s = 1; s < segments; s++)
    if (compare(prepared[s - 1]!, ends[s - 1]! - 1, prepared[s]!, begins[s]!) >= 0) return false
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
  return {
    rows: rows.length,
    runs: runsOfSlice(chunks, slice),
    numbers,
    eventIds: pickIds(
      ofUsed(used, (index) => chunks[index]!.eventIds()),
      sources,
      rows,
    ),
    ...slicedValues(chunks, used, sources, rows),
  }
}

/**
 * Collects the values of a slice. Keys that were rare in small chunks may get a column, and columns of small chunks may
 * become rare in the merged rows.
 */
function slicedValues(
  chunks: readonly Chunk[],
  used: readonly number[],
  sources: Uint32Array,
  rows: Uint32Array,
): Pick<RowColumns, 'values' | 'spilled'> {
  const names = new Set(
    used.flatMap((index) => [...chunks[index]!.valueColumns(), ...(chunks[index]!.spilledKeys()?.names ?? [])]),
  )
  const free = new Set([...names].filter(isFreeColumn))
  const readers = ofUsed(used, (index) => freeReader(chunks[index]!))
  const dense = (own: Iterable<string>): Map<string, ValueCodes> =>
    new Map(
      [...own].map((name) => [
        name,
        valuesOfSlice(
          ofUsed(used, (index) => chunks[index]!.values(name)),
          sources,
          rows,
        ),
      ]),
    )
  if (free.size <= ownKeysMax(rows.length)) return { values: dense(names) }
  const counts = new Map<string, number>()
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1)
  for (let i = 0; i < rows.length; i++) readers[sources[i]!]!(rows[i]!, count)
  const withColumn = chooseOwnKeys(counts, rows.length)
  const rare = [...counts.keys()].filter((name) => !withColumn.has(name))
  const values = dense([...names].filter((name) => !free.has(name) || withColumn.has(name)))
  if (rare.length === 0) return { values }
  const numbers = new Map(rare.map((name, number) => [name, number]))
  const builder = new SpillBuilder(
    rare,
    rare.map((name) => counts.get(name)!),
  )
  const dictionary = new Dictionary()
  dictionary.code(null)
  let row = 0
  const put = (name: string, value: Value): void => {
    const number = numbers.get(name)
    if (number !== undefined) builder.put(number, row, dictionary.code(value))
  }
  for (; row < rows.length; row++) readers[sources[row]!]!(rows[row]!, put)
  return { values, spilled: builder.entries(dictionary.values) }
}

/** Visits the values of a row's free keys, both in columns and among the spilled entries. */
function freeReader(chunk: Chunk): (row: number, visit: (name: string, value: Value) => void) => void {
  const columns = chunk
    .valueColumns()
    .filter(isFreeColumn)
    .map((name) => ({ name, ...chunk.values(name)! }))
  const [keys, byRow, all] = [chunk.spilledKeys(), chunk.spilledByRow(), chunk.spilled()]
  return (row, visit) => {
    for (const { name, codes, values } of columns) {
      const value = values[codes[row]!]!
      if (value !== null) visit(name, value)
    }
    if (!keys || !byRow || !all) return
    for (let index = row === 0 ? 0 : byRow.ends[row - 1]!; index < byRow.ends[row]!; index++) {
      visit(keys.names[byRow.keys[index]!]!, all.values[all.codes[byRow.entries[index]!]!] as Value)
    }
  }
}

/** Returns a sparse array by chunk index, filled for the chunks in use. */
function ofUsed<T>(used: readonly number[], valueAt: (index: number) => T): T[] {
  const array: T[] = []
  for (const index of used) array[index] = valueAt(index)
  return array
}

function runsOfSlice(chunks: readonly Chunk[], { runs }: Slice): DeviceRuns {
  const ids = ofUsed([...new Set(runs.chunks)], (index) => chunks[index]!.deviceIds())
  const deviceIds = pickIds(ids, Uint32Array.from(runs.chunks), Uint32Array.from(runs.places))
  return {
    high: Uint32Array.from(runs.high),
    low: Uint32Array.from(runs.low),
    rows: Uint32Array.from(runs.rows),
    deviceIds,
  }
}

/** Collects a column of a slice. A value is looked up once per chunk, however many rows have it. */
function valuesOfSlice(
  columns: readonly ReturnType<Chunk['values']>[],
  sources: Uint32Array,
  rows: Uint32Array,
): ValueCodes {
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
