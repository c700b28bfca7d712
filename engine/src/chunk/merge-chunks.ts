import type { ChunkCover, EncodedChunk } from '@hopper/contracts'
import type { Chunk } from './chunk.ts'
import { encodeColumns } from './encode-chunk.ts'
import { numberColumns, type NumberColumn } from './event-keys.ts'
import { pickIds } from './ids.ts'
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
  const source = new Uint32Array(total)
  const place = new Uint32Array(total)
  const high = new Float64Array(total)
  const rest = new Uint16Array(total)
  const columns = chunks.map((chunk) => ({
    runs: chunk.runs(), times: chunk.times(), seq: chunk.numbers('seq'), position: chunk.numbers('position'), index: chunk.numbers('index'),
  }))
  let at = 0
  columns.forEach(({ runs }, c) => {
    for (let r = 0; r < runs.keys.length; r++) {
      for (let row = runs.starts[r]!; row < runs.starts[r + 1]!; row++, at++) {
        source[at] = c
        place[at] = row
        high[at] = runs.keys[r]!
        rest[at] = runs.rests[r]!
      }
    }
  })
  const order = Uint32Array.from({ length: total }, (_, i) => i)
  order.sort((a, b) => {
    const byDevice = high[a]! - high[b]! || rest[a]! - rest[b]!
    if (byDevice !== 0) return byDevice
    const x = columns[source[a]!]!
    const y = columns[source[b]!]!
    const i = place[a]!
    const j = place[b]!
    return x.times[i]! - y.times[j]! || x.seq[i]! - y.seq[j]! || x.position[i]! - y.position[j]! || x.index[i]! - y.index[j]!
  })
  return { chunks: order.map((i) => source[i]!), rows: order.map((i) => place[i]!) }
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
