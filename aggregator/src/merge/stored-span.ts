import type { ChunkSummary } from '@hopper/contracts'
import type { Archive, Partition } from '@hopper/storage'

const HOUR_MS = 3_600_000
/** The local date of any zone lies between these, from the begin of the same date in UTC. */
const EARLIEST_MS = -14 * HOUR_MS
const LATEST_MS = 36 * HOUR_MS

/** A span as it stands in the archive. */
export interface StoredSpan {
  /** its parts, in order */
  readonly chunks: readonly ChunkSummary[]
  readonly rows: number
  /** of all cells, as stored */
  readonly bytes: number
}

/** The visible spans of a partition of a lane, in the order of their positions. */
export async function storedSpans(archive: Archive, lane: number, { app, date }: Partition): Promise<StoredSpan[]> {
  const begin = Date.parse(date)
  const chunks = await archive.list({ app, lane, from: begin + EARLIEST_MS, to: begin + LATEST_MS })
  return inSpans(chunks.filter((chunk) => chunk.date === date))
}

/** Whether a local date has ended in every zone. */
export function isOver(date: string, now: number): boolean {
  return now >= Date.parse(date) + LATEST_MS
}

/** Groups the chunks of one partition. */
export function inSpans(chunks: readonly ChunkSummary[]): StoredSpan[] {
  const spans = new Map<string, ChunkSummary[]>()
  for (const chunk of chunks) {
    const name = `${chunk.first_position}-${chunk.last_position}`
    const span = spans.get(name)
    if (span) span.push(chunk)
    else spans.set(name, [chunk])
  }
  return [...spans.values()].map(spanOf).sort((a, b) => a.chunks[0]!.first_position - b.chunks[0]!.first_position)
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
