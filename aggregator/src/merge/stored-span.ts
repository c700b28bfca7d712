import { shiftDate, type ChunkSummary } from '@hopper/contracts'
import type { Archive, Partition } from '@hopper/storage'

const HOUR_MS = 3_600_000
/** Bounds of a local date in any time zone, relative to the start of the same date in UTC. */
const EARLIEST_MS = -14 * HOUR_MS
const LATEST_MS = 36 * HOUR_MS

/** Span as stored in the archive. */
export interface StoredSpan {
  /** its parts, in order */
  readonly chunks: readonly ChunkSummary[]
  readonly rows: number
  /** size of all cells, as stored */
  readonly bytes: number
}

/** Returns the visible spans of a partition of a lane, in the order of their positions. */
export function spansOfDate(archive: Archive, lane: number, { app, date }: Partition): Promise<StoredSpan[]> {
  return spansBetween(archive, lane, app, date, date)
}

/** Returns the visible spans of all past dates of the same month. Spans of one month may be merged into one. */
export async function spansOfMonth(
  archive: Archive,
  lane: number,
  { app, date }: Partition,
  now: number,
): Promise<StoredSpan[]> {
  const spans = await spansBetween(archive, lane, app, `${monthOf(date)}-01`, lastOfMonth(date))
  return spans.filter(({ chunks }) => hasEnded(chunks[0]!.date, now))
}

/** Returns the month of a date, as `YYYY-MM`. */
export function monthOf(date: string): string {
  return date.slice(0, 7)
}

/** Returns the last date of the month of a date. */
export function lastOfMonth(date: string): string {
  return shiftDate(`${monthOf(shiftDate(`${monthOf(date)}-01`, 31))}-01`, -1)
}

async function spansBetween(
  archive: Archive,
  lane: number,
  app: string,
  first: string,
  last: string,
): Promise<StoredSpan[]> {
  const chunks = await archive.list({
    app,
    lane,
    from: Math.max(0, Date.parse(first) + EARLIEST_MS),
    to: Date.parse(last) + LATEST_MS,
  })
  return groupIntoSpans(chunks.filter(({ date }) => first <= date && date <= last))
}

/** True when a local date has ended in every time zone. */
export function hasEnded(date: string, now: number): boolean {
  return now >= Date.parse(date) + LATEST_MS
}

/** Groups chunks of one lane into spans, sorted by their first date, then by their positions. */
export function groupIntoSpans(chunks: readonly ChunkSummary[]): StoredSpan[] {
  const spans = new Map<string, ChunkSummary[]>()
  for (const chunk of chunks) {
    const name = `${chunk.date} ${chunk.first_position} ${chunk.last_position}`
    const span = spans.get(name)
    if (span) span.push(chunk)
    else spans.set(name, [chunk])
  }
  return [...spans.values()]
    .map(spanOf)
    .sort(({ chunks: [a] }, { chunks: [b] }) =>
      a!.date < b!.date ? -1 : a!.date > b!.date ? 1 : a!.first_position - b!.first_position,
    )
}

function spanOf(chunks: readonly ChunkSummary[]): StoredSpan {
  let rows = 0
  let bytes = 0
  for (const { rows: some, columns } of chunks) {
    rows += some
    for (const cell of Object.values(columns)) bytes += cell
  }
  return { chunks, rows, bytes }
}
