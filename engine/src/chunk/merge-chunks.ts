import type { ChunkCover, EncodedChunk } from '@hopper/contracts'
import type { Chunk } from './chunk.ts'
import { encodeColumns } from './encode-chunk.ts'
import { numberColumns, type NumberColumn } from './event-keys.ts'
import { pickIds } from './ids.ts'
import { DeviceCursor, spansOf } from '../scan/device-cursor.ts'
import { Dictionary, type DeviceRuns, type RowColumns, type ValueCodes } from './row-columns.ts'

/** Rows of many chunks in one order: row i is row `rows[i]` of the chunk `chunks[i]`. */
interface Merged {
  readonly chunks: Uint32Array
  readonly rows: Uint32Array
}

/**
 * Merges chunks of one lane into one span with the same rows, sorted. The chunks must cover their positions completely: what has been
 * covered between the first and the last of them becomes what the span covers.
 */
export function mergeChunks(chunks: readonly Chunk[]): EncodedChunk[] {
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
  return encodeColumns(mergeColumns(chunks), cover)
}

/** The rows of chunks of one lane in one order, as columns. */
export function mergeColumns(chunks: readonly Chunk[]): RowColumns {
  const merged = mergedOrder(chunks)
  const numbers = Object.fromEntries(
    numberColumns.map((name) => {
      const sources = chunks.map((chunk) => chunk.numbers(name))
      return [name, Float64Array.from(merged.rows, (row, i) => sources[merged.chunks[i]!]![row]!)]
    }),
  ) as Record<NumberColumn, Float64Array>
  const names = new Set(chunks.flatMap((chunk) => chunk.valueColumns()))
  return {
    rows: merged.rows.length,
    runs: mergedRuns(chunks, merged),
    numbers,
    eventIds: pickIds(chunks.map((chunk) => chunk.eventIds()), merged.chunks, merged.rows),
    values: new Map([...names].map((name) => [name, mergedValues(chunks, merged, name)])),
  }
}

function mergedOrder(chunks: readonly Chunk[]): Merged {
  const total = chunks.reduce((sum, chunk) => sum + chunk.summary.rows, 0)
  const merged: Merged = { chunks: new Uint32Array(total), rows: new Uint32Array(total) }
  const columns = chunks.map((chunk) => ({
    times: chunk.times(), seq: chunk.numbers('seq'), position: chunk.numbers('position'), index: chunk.numbers('index'),
  }))
  const compare = (a: Place, b: Place): number => {
    const x = columns[a.chunk]!
    const y = columns[b.chunk]!
    return (
      x.times[a.row]! - y.times[b.row]! || x.seq[a.row]! - y.seq[b.row]! || x.position[a.row]! - y.position[b.row]! || x.index[a.row]! - y.index[b.row]!
    )
  }
  const cursor = new DeviceCursor(spansOf(chunks), (chunk) => chunks.indexOf(chunk))
  for (let at = 0; cursor.next(); ) {
    const begin = at
    let sorted = true
    for (let s = 0; s < cursor.segments; s++) {
      const chunk = cursor.prepared[s]!
      const first = { chunk, row: cursor.begins[s]! }
      if (s > 0) sorted &&= compare({ chunk: merged.chunks[at - 1]!, row: merged.rows[at - 1]! }, first) < 0
      for (let row = first.row; row < cursor.ends[s]!; row++, at++) {
        merged.chunks[at] = chunk
        merged.rows[at] = row
      }
    }
    if (!sorted) sortPlaces(merged, begin, at, compare)
  }
  return merged
}

interface Place {
  readonly chunk: number
  readonly row: number
}

/** Sorts the rows of one device whose chunks overlap in time. */
function sortPlaces(merged: Merged, begin: number, end: number, compare: (a: Place, b: Place) => number): void {
  const places = Array.from({ length: end - begin }, (_, i): Place => ({ chunk: merged.chunks[begin + i]!, row: merged.rows[begin + i]! })).sort(compare)
  places.forEach(({ chunk, row }, i) => {
    merged.chunks[begin + i] = chunk
    merged.rows[begin + i] = row
  })
}

function mergedRuns(chunks: readonly Chunk[], merged: Merged): DeviceRuns {
  const runs = chunks.map((chunk) => chunk.runs())
  const runOfRow = runs.map(({ starts }) => {
    const of = new Uint32Array(starts.at(-1)!)
    for (let r = 0; r < starts.length - 1; r++) of.fill(r, starts[r], starts[r + 1])
    return of
  })
  const high: number[] = []
  const low: number[] = []
  const rows: number[] = []
  const sources: number[] = []
  const places: number[] = []
  for (let i = 0; i < merged.rows.length; i++) {
    const source = merged.chunks[i]!
    const run = runOfRow[source]![merged.rows[i]!]!
    const of = runs[source]!
    if (high.at(-1) === of.high[run] && low.at(-1) === of.low[run]) rows[rows.length - 1]!++
    else {
      high.push(of.high[run]!)
      low.push(of.low[run]!)
      rows.push(1)
      sources.push(source)
      places.push(run)
    }
  }
  const deviceIds = pickIds(chunks.map((chunk) => chunk.deviceIds()), Uint32Array.from(sources), Uint32Array.from(places))
  return { high: Uint32Array.from(high), low: Uint32Array.from(low), rows: Uint32Array.from(rows), deviceIds }
}

function mergedValues(chunks: readonly Chunk[], merged: Merged, name: string): ValueCodes {
  const dictionary = new Dictionary()
  const none = dictionary.code(null)
  const columns = chunks.map((chunk) => {
    const column = chunk.values(name)
    return column && { codes: column.codes, renamed: Uint32Array.from(column.values, (value) => dictionary.code(value)) }
  })
  const codes = new Uint32Array(merged.rows.length)
  for (let i = 0; i < codes.length; i++) {
    const column = columns[merged.chunks[i]!]
    codes[i] = column ? column.renamed[column.codes[merged.rows[i]!]!]! : none
  }
  return { codes, values: dictionary.values }
}
