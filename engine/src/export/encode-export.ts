import type { Chunk } from '../chunk/chunk.ts'
import { ArrowBatches } from './arrow-batches.ts'
import { csvHead, csvLine } from './csv-lines.ts'
import { eventsOfChunk, type ExportedEvent, type ExportRange } from './exported-event.ts'
import { ndjsonLine } from './ndjson-lines.ts'

/**
 * Export formats. `arrow`: an Arrow IPC stream; `ndjson`: one line of JSON per event with all its data; `csv`: RFC
 * 4180, safe to open in a spreadsheet.
 */
export const exportFormats = {
  arrow: { mediaType: 'application/vnd.apache.arrow.stream', extension: 'arrows' },
  ndjson: { mediaType: 'application/x-ndjson', extension: 'ndjson' },
  csv: { mediaType: 'text/csv; charset=utf-8', extension: 'csv' },
} as const satisfies Record<string, { mediaType: string; extension: string }>
export type ExportFormat = keyof typeof exportFormats

/** Position of a piece within an export: only the first piece has a header, only the last an end marker. */
export interface ExportPiece {
  readonly isFirst: boolean
  readonly isLast: boolean
}
const wholeExport: ExportPiece = { isFirst: true, isLast: true }

const ROWS_PER_BATCH = 10_000
const CHARS_PER_PART = 65_536

/**
 * Encodes the events of the chunks that are in the range, in chunk order (device by device), part by part. Memory is
 * bounded by one chunk and one batch, whatever the number of chunks. `chunks` should load each chunk, with all its
 * columns, only when the next one is requested.
 */
export function encodeExport(
  format: ExportFormat,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  range: ExportRange,
): AsyncGenerator<Uint8Array> {
  return encodeEvents(format, eventsOf(chunks, range))
}

/**
 * Encodes events that the caller selects from chunks with `eventsOfChunk`. Each part completes all events taken so far,
 * so a caller that tracks its place can stop after any part and resume later with another, non-first piece.
 */
export async function* encodeEvents(
  format: ExportFormat,
  events: AsyncIterable<Iterable<ExportedEvent>>,
  piece: ExportPiece = wholeExport,
): AsyncGenerator<Uint8Array> {
  if (format === 'arrow') yield* encodeArrow(events, piece)
  else
    yield* encodeLines(
      events,
      format === 'csv' && piece.isFirst ? csvHead : '',
      format === 'csv' ? csvLine : ndjsonLine,
    )
}

async function* eventsOf(
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  range: ExportRange,
): AsyncGenerator<Iterable<ExportedEvent>> {
  for await (const chunk of chunks) yield eventsOfChunk(chunk, range)
}

async function* encodeArrow(
  chunks: AsyncIterable<Iterable<ExportedEvent>>,
  { isFirst, isLast }: ExportPiece,
): AsyncGenerator<Uint8Array> {
  const batches = new ArrowBatches()
  const head = batches.begin()
  if (isFirst) yield head
  let rows: ExportedEvent[] = []
  for await (const events of chunks) {
    for (const event of events) {
      rows.push(event)
      if (rows.length < ROWS_PER_BATCH) continue
      yield batches.batch(rows)
      rows = []
    }
  }
  if (rows.length > 0) yield batches.batch(rows)
  if (isLast) yield batches.end()
}

async function* encodeLines(
  chunks: AsyncIterable<Iterable<ExportedEvent>>,
  head: string,
  lineOf: (event: ExportedEvent) => string,
): AsyncGenerator<Uint8Array> {
  let text = head
  for await (const events of chunks) {
    for (const event of events) {
      text += lineOf(event)
      if (text.length < CHARS_PER_PART) continue
      yield Buffer.from(text)
      text = ''
    }
  }
  if (text !== '') yield Buffer.from(text)
}
