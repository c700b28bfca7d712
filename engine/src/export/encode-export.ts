import type { Chunk } from '../chunk/chunk.ts'
import { ArrowBatches } from './arrow-batches.ts'
import { csvHead, csvLine } from './csv-lines.ts'
import { eventsOfChunk, type ExportedEvent, type ExportRange } from './exported-event.ts'
import { ndjsonLine } from './ndjson-lines.ts'

/**
 * `arrow`: an Arrow IPC stream; `ndjson`: a line of JSON an event, nothing left out; `csv`: RFC 4180, safe to open in a
 * spreadsheet.
 */
export const exportFormats = {
  arrow: { mediaType: 'application/vnd.apache.arrow.stream', extension: 'arrows' },
  ndjson: { mediaType: 'application/x-ndjson', extension: 'ndjson' },
  csv: { mediaType: 'text/csv; charset=utf-8', extension: 'csv' },
} as const satisfies Record<string, { mediaType: string; extension: string }>
export type ExportFormat = keyof typeof exportFormats

/** Whether what is encoded begins and ends an export: else it has no head, or no end. */
export interface ExportPiece {
  readonly isFirst: boolean
  readonly isLast: boolean
}
const wholeExport: ExportPiece = { isFirst: true, isLast: true }

const ROWS_PER_BATCH = 10_000
const CHARS_PER_PART = 65_536

/**
 * The events of the chunks that lie in the range, in the order of the chunks (device by device), encoded part by part:
 * memory is bounded by one chunk and one batch, whatever the number of chunks. The caller fetches a chunk with all its
 * columns when it is asked for the next.
 */
export function encodeExport(
  format: ExportFormat,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  range: ExportRange,
): AsyncGenerator<Uint8Array> {
  return encodeEvents(format, eventsOf(chunks, range))
}

/**
 * The same for events that the caller picks out of chunks by `eventsOfChunk`. A part has every event that was taken
 * until then, so a caller that knows its place may leave after any part, and go on from there with another piece, which
 * is not the first.
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
