import type {
  ArchivedEvent,
  ChunkCover,
  ChunkSummary,
  DateCover,
  EncodedChunk,
  PutsSummary,
  Value,
} from '@hopper/contracts'
import type { Data } from 'apache-arrow'
import { bytesData, dictionaryData, packFrame, uint32Data, type ValueType } from './arrow-frame.ts'
import { hashText } from '../device-order.ts'
import { numberColumns, SPILLED, SPILLED_KEYS } from '../event-keys.ts'
import { idFields } from '../ids.ts'
import { encodeNumbers, numberEncodings } from './number-encoding.ts'
import { DropUnused } from '../drop-unused.ts'
import { RowBuffer, type GroupOfRow } from '../row-buffer.ts'
import { sliceColumns, type RowColumns } from '../row-columns.ts'
import { spilledKeyFields, type SpilledEntries } from '../spilled-entries.ts'
import type { ValueCodes } from '../value-column.ts'

/** Maximum rows of a chunk, chosen so that 16 random bytes per row (event ids) still fit into a cell. */
export const CHUNK_ROWS_MAX = 60_000
/** Maximum bytes of one column's cell. */
export const CELL_BYTES_MAX = 1_000_000
/**
 * Maximum unpacked bytes of all texts of a chunk. Repetitive texts pack so well that the size of the cells alone would
 * not bound the memory of a reader.
 */
const CHUNK_TEXT_BYTES_MAX = 32_000_000
const SUMMARY_VALUES_MAX = 16
const SUMMARY_NAMES_MAX = 256
const SUMMARY_CHARS_MAX = 64

const dropUnused = new DropUnused()

/** Packs events of one app and lane into the chunks of one span, in as many parts as the limits require. */
export function encodeChunks(
  rows: readonly ArchivedEvent[],
  cover: ChunkCover,
  rowsMax = CHUNK_ROWS_MAX,
): EncodedChunk[] {
  return encodeBuffer(RowBuffer.of(cover.app, rows), cover, rowsMax)
}

/** Packs all rows of a buffer into the chunks of one span. */
export function encodeBuffer(buffer: RowBuffer, cover: ChunkCover, rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  return [...encodeGroups(buffer, [{ ...cover, dates: [] }], () => 0, rowsMax)]
    .flat()
    .map(({ summary, columns }) => ({ summary, columns }))
}

/** The coverage of a span, in total and per date. */
export interface SpanCover extends ChunkCover {
  readonly dates: readonly DateCover[]
}

/**
 * Packs the rows of a buffer into one span per group, one span at a time. The group of a row is the index of its cover.
 */
export function* encodeGroups(
  buffer: RowBuffer,
  covers: readonly SpanCover[],
  groupOf: GroupOfRow,
  rowsMax = CHUNK_ROWS_MAX,
): Generator<EncodedChunk[]> {
  for (const { group, columns } of buffer.groups(groupOf)) {
    const { dates, ...cover } = covers[group]!
    yield encodeColumns(columns, cover, rowsMax).map((chunk) => ({ ...chunk, dates }))
  }
}

/** Packs events that are already columns into the chunks of one span. */
export function encodeColumns(columns: RowColumns, cover: ChunkCover, rowsMax = CHUNK_ROWS_MAX): EncodedChunk[] {
  return numberParts(partsOf(columns, cover, rowsMax))
}

/** Numbers the parts of a span in order. */
export function numberParts(parts: readonly EncodedChunk[]): EncodedChunk[] {
  return parts.map(({ summary, columns }, part) => ({ summary: { ...summary, part, parts: parts.length }, columns }))
}

/** Packs rows into as many chunks as the limits require; `numberParts` numbers them. */
export function partsOf(columns: RowColumns, cover: ChunkCover, rowsMax: number): EncodedChunk[] {
  const parts: EncodedChunk[] = []
  const cut = (begin: number, end: number): void => {
    const slice = begin === 0 && end === columns.rows ? columns : sliceColumns(columns, begin, end)
    const used = usedValues(slice)
    const part = used.textBytes > CHUNK_TEXT_BYTES_MAX && end - begin > 1 ? undefined : encodePart(slice, used, cover)
    if (part && (end - begin === 1 || [...part.columns.values()].every((cell) => cell.length <= CELL_BYTES_MAX)))
      parts.push(part)
    else {
      const middle = (begin + end) >>> 1
      cut(begin, middle)
      cut(middle, end)
    }
  }
  for (let begin = 0; begin < columns.rows; begin += rowsMax) cut(begin, Math.min(begin + rowsMax, columns.rows))
  return parts
}

/** The values of rows, with dictionaries that contain no unused values. */
interface UsedValues {
  readonly columns: ReadonlyMap<string, ValueCodes>
  readonly spilled: SpilledEntries | undefined
  readonly textBytes: number
}

function usedValues({ values, spilled }: RowColumns): UsedValues {
  const columns = new Map<string, ValueCodes>()
  for (const [name, column] of values) {
    const used = dropUnused.from(column)
    if (used.values.some((value) => value !== null)) columns.set(name, used)
  }
  const rare = spilled && spilled.rows.length > 0 ? { ...spilled, ...dropUnused.from(spilled) } : undefined
  const texts = [...[...columns.values()].map((column) => column.values), rare?.values ?? [], rare?.names ?? []]
  return { columns, spilled: rare, textBytes: texts.reduce((sum, some) => sum + bytesOfTexts(some), 0) }
}

function bytesOfTexts(values: readonly (Value | null)[]): number {
  let bytes = 0
  for (const value of values) if (typeof value === 'string') bytes += Buffer.byteLength(value)
  return bytes
}

function encodePart(columns: RowColumns, used: UsedValues, cover: ChunkCover): EncodedChunk {
  const cells = new Map<string, Uint8Array>()
  const { runs, numbers } = columns
  cells.set(
    'runs',
    packFrame(
      new Map([
        ['high', uint32Data(runs.high)],
        ['low', uint32Data(runs.low)],
        ['rows', uint32Data(runs.rows)],
      ]),
    ),
  )
  cells.set('device_id', packFrame(idFields(runs.deviceIds)))
  cells.set('event_id', packFrame(idFields(columns.eventIds)))
  for (const name of numberColumns) {
    const base =
      name === 'index' || name === 'seq' || name === 'received_at' ? 0 : numbers[name].reduce((a, b) => Math.min(a, b))
    const planes = encodeNumbers(name, numbers[name], base, runs.rows, numbers.timestamp)
    const fields = new Map(planes.map((plane, p) => [`byte_${p}`, bytesData(plane)]))
    cells.set(name, packFrame(fields, { encoding: numberEncodings[name], base: String(base) }))
  }
  const values: Record<string, (Value | null)[]> = {}
  for (const [name, column] of used.columns) {
    cells.set(name, packFrame(valueFields(column)))
    if (fitsSummary(name, column.values)) values[name] = [...column.values]
  }
  if (used.spilled) {
    cells.set(SPILLED_KEYS, packFrame(spilledKeyFields(used.spilled)))
    cells.set(SPILLED, packFrame(new Map([['row', uint32Data(used.spilled.rows)], ...valueFields(used.spilled)])))
  }
  const puts = putsOf(columns, used.columns.get('payload'))
  return { summary: { ...summaryOf(columns, cover, cells, values), ...(puts && { puts }) }, columns: cells }
}

/** Summarizes the events that came by `PUT /events`: they are those with a payload. */
function putsOf({ numbers }: RowColumns, payload: ValueCodes | undefined): PutsSummary | undefined {
  if (!payload) return undefined
  let [rows, last_received] = [0, 0]
  payload.codes.forEach((code, row) => {
    if (payload.values[code] === null) return
    rows++
    last_received = Math.max(last_received, numbers.received_at[row]!)
  })
  return { rows, last_received }
}

function summaryOf(
  columns: RowColumns,
  cover: ChunkCover,
  cells: ReadonlyMap<string, Uint8Array>,
  values: ChunkSummary['values'],
): ChunkSummary {
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

/** Creates one dictionary field per type of value, nearly always one; a row is null in the fields of other types. */
function valueFields({ codes, values }: ValueCodes): Map<string, Data> {
  const fields = new Map<string, Data>()
  const types = [...new Set(values.filter((value) => value !== null).map((value) => typeof value as ValueType))].sort()
  for (const type of types) {
    if (types.length === 1) fields.set(type, dictionaryData(type, codes, values))
    else {
      const used = dropUnused.from({ codes, values: values.map((value) => (typeof value === type ? value : null)) })
      fields.set(type, dictionaryData(type, used.codes, used.values))
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
