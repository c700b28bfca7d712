import type { ArchivedEvent, ChunkCover, ChunkSummary, EncodedChunk, Value } from '@hopper/contracts'
import type { Data } from 'apache-arrow'
import { bytesData, dictionaryData, packFrame, uint32Data, type ValueType } from './arrow-frame.ts'
import { hashText } from './device-order.ts'
import { numberColumns } from './event-keys.ts'
import { idFields } from './ids.ts'
import { encodeNumbers, numberEncodings } from './number-encoding.ts'
import { RowBuffer } from './row-buffer.ts'
import { sliceColumns, type RowColumns } from './row-columns.ts'
import type { ValueCodes } from './value-column.ts'

/** Rows of one chunk: 16 random bytes each, as event ids are, still fit a cell. */
export const CHUNK_ROWS_MAX = 60_000
/** Bytes of one column's cell. */
export const CELL_BYTES_MAX = 1_000_000
/** Columns of values of one chunk: senders choose the keys of `data`, so their number is bounded by cutting the chunk. */
export const CHUNK_VALUES_MAX = 1_000
const SUMMARY_VALUES_MAX = 16
const SUMMARY_NAMES_MAX = 256
const SUMMARY_CHARS_MAX = 64

/** Packs events of one app and lane into the chunks of one span, in as many parts as the bounds ask for. */
export function encodeChunks(rows: readonly ArchivedEvent[], cover: ChunkCover, rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  return encodeBuffer(RowBuffer.of(cover.app, rows), cover, 0, rowsMax)
}

/** The same for the rows of a buffer from one on. */
export function encodeBuffer(buffer: RowBuffer, cover: ChunkCover, first = 0, rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  const parts: EncodedChunk[] = []
  for (const columns of buffer.slices(first, CHUNK_VALUES_MAX)) parts.push(...partsOf(columns, cover, rowsMax))
  return numbered(parts)
}

/** The same for events that are columns already. */
export function encodeColumns(columns: RowColumns, cover: ChunkCover, rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  return numbered(partsOf(columns, cover, rowsMax))
}

/** The parts of one span, in its order. */
export function numbered(parts: readonly EncodedChunk[]): EncodedChunk[] {
  return parts.map(({ summary, columns }, part) => ({ summary: { ...summary, part, parts: parts.length }, columns }))
}

/** Chunks that are not numbered yet, as many as the bounds ask for. */
export function partsOf(columns: RowColumns, cover: ChunkCover, rowsMax: number): EncodedChunk[] {
  const parts: EncodedChunk[] = []
  const cut = (begin: number, end: number): void => {
    const slice = begin === 0 && end === columns.rows ? columns : sliceColumns(columns, begin, end)
    const used = usedValues(slice)
    const part = used.size > CHUNK_VALUES_MAX && end - begin > 1 ? undefined : encodePart(slice, used, cover)
    if (part && (end - begin === 1 || [...part.columns.values()].every((cell) => cell.length <= CELL_BYTES_MAX))) parts.push(part)
    else {
      const middle = (begin + end) >>> 1
      cut(begin, middle)
      cut(middle, end)
    }
  }
  for (let begin = 0; begin < columns.rows; begin += rowsMax) cut(begin, Math.min(begin + rowsMax, columns.rows))
  return parts
}

/** The columns that have a value in any of the rows, with dictionaries of what these have. */
function usedValues(columns: RowColumns): Map<string, ValueCodes> {
  const used = new Map<string, ValueCodes>()
  for (const [name, column] of columns.values) {
    const own = dropUnused(column)
    if (own.values.some((value) => value !== null)) used.set(name, own)
  }
  return used
}

function encodePart(columns: RowColumns, used: ReadonlyMap<string, ValueCodes>, cover: ChunkCover): EncodedChunk {
  const cells = new Map<string, Uint8Array>()
  const { runs, numbers } = columns
  cells.set('runs', packFrame(new Map([['high', uint32Data(runs.high)], ['low', uint32Data(runs.low)], ['rows', uint32Data(runs.rows)]])))
  cells.set('device_id', packFrame(idFields(runs.deviceIds)))
  cells.set('event_id', packFrame(idFields(columns.eventIds)))
  for (const name of numberColumns) {
    const base = name === 'index' || name === 'seq' || name === 'received_at' ? 0 : numbers[name].reduce((a, b) => Math.min(a, b))
    const planes = encodeNumbers(name, numbers[name], base, runs.rows, numbers.timestamp)
    const fields = new Map(planes.map((plane, p) => [`byte_${p}`, bytesData(plane)]))
    cells.set(name, packFrame(fields, { encoding: numberEncodings[name], base: String(base) }))
  }
  const values: Record<string, (Value | null)[]> = {}
  for (const [name, column] of used) {
    cells.set(name, packFrame(valueFields(column)))
    if (fitsSummary(name, column.values)) values[name] = [...column.values]
  }
  return { summary: summaryOf(columns, cover, cells, values), columns: cells }
}

function summaryOf(columns: RowColumns, cover: ChunkCover, cells: ReadonlyMap<string, Uint8Array>, values: ChunkSummary['values']): ChunkSummary {
  const { high, low } = columns.runs
  let min_time = Infinity
  let max_time = -Infinity
  for (const time of columns.numbers.timestamp) {
    if (time < min_time) min_time = time
    if (time > max_time) max_time = time
  }
  return {
    ...cover,
    part: 0,
    parts: 1,
    rows: columns.rows,
    devices: high.length,
    min_time,
    max_time,
    first_device: hashText(high[0]!, low[0]!),
    last_device: hashText(high.at(-1)!, low.at(-1)!),
    columns: Object.fromEntries([...cells].map(([name, cell]) => [name, cell.length])),
    values,
  }
}

/** Codes in the order in which the rows meet them: a slice keeps no value that it does not have, and runs of new values count up. */
function dropUnused({ codes, values }: ValueCodes): ValueCodes {
  const renamed = new Int32Array(values.length).fill(-1)
  const kept: (Value | null)[] = []
  const out = new Uint32Array(codes.length)
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!
    let name = renamed[code]!
    if (name < 0) {
      renamed[code] = name = kept.length
      kept.push(values[code]!)
    }
    out[i] = name
  }
  return { codes: out, values: kept }
}

/** One dictionary field for each type of value; a row is null in all but its own. Nearly always there is one. */
function valueFields({ codes, values }: ValueCodes): Map<string, Data> {
  const fields = new Map<string, Data>()
  const types = [...new Set(values.filter((value) => value !== null).map((value) => typeof value as ValueType))].sort()
  for (const type of types) {
    if (types.length === 1) fields.set(type, dictionaryData(type, codes, values))
    else {
      const own = dropUnused({ codes, values: values.map((value) => (typeof value === type ? value : null)) })
      fields.set(type, dictionaryData(type, own.codes, own.values))
    }
  }
  return fields
}

function fitsSummary(name: string, values: readonly (Value | null)[]): boolean {
  return (
    values.length <= (name === 'name' || name === 'type' ? SUMMARY_NAMES_MAX : SUMMARY_VALUES_MAX) &&
    values.every((value) => typeof value !== 'string' || value.length <= SUMMARY_CHARS_MAX)
  )
}
