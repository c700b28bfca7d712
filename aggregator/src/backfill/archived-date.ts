import { setImmediate as pause } from 'node:timers/promises'
import type { App, ArchivedEvent, ChunkSummary } from '@hopper/contracts'
import { Chunk, eventsOfChunk, type ExportRange } from '@hopper/engine'
import type { Archive } from '@hopper/storage'
import { PastEntries, type PastChanges, type PastFunnel } from './past-entries.ts'

/**
 * Maximum number of entries in memory, about 150 bytes each. A date with more rows is read several times, each time for
 * a share of the devices.
 */
const ROWS_IN_MEMORY_MAX = 200_000
const EVENTS_PER_TURN = 2_000
/** Columns that are irrelevant to stages. */
const irrelevantColumn = new RegExp(
  '^(data|utm_|referrer|country|region$|channel$|landing_page$|click_id$|language$|screen$|numbered$|browser|os$|' +
    'device$|name$|action$|current_url$)',
)

/** Source of the archived events of a date. */
export interface ArchivedDate {
  readonly archive: Archive
  readonly app: App
  readonly lane: number
  readonly date: string
  readonly range: ExportRange
}

/**
 * Counts the past of stages on one date and lane: the archived events that were received before the stages were known.
 */
export async function pastOfDate(source: ArchivedDate, past: PastFunnel): Promise<PastChanges> {
  const { archive, app, lane, date, range } = source
  const entries = new PastEntries(app, date, past)
  // Later events cannot belong to the past of these stages.
  const before = Math.max(...past.groups.map(({ until }) => until))
  const all = await archive.list({ app: app.id, lane, ...range })
  const chunks = all.filter(({ first_position }) => first_position < before)
  const shares = Math.ceil(chunks.reduce((sum, { rows }) => sum + rows, 0) / ROWS_IN_MEMORY_MAX)
  for (let share = 0; share < shares; share++) {
    for await (const event of archivedEventsOf(archive, chunks, range)) {
      if (shares === 1 || shareOf(event.device_id, shares) === share) entries.add(event)
    }
    entries.count()
  }
  return entries.changes()
}

/**
 * Reads the columns of chunks that are relevant to stages and yields their events, one chunk in memory at a time.
 * Yields to other work of the process in between.
 */
export async function* archivedEventsOf(
  archive: Archive,
  chunks: readonly ChunkSummary[],
  range: ExportRange,
): AsyncGenerator<ArchivedEvent> {
  let read = 0
  for (const summary of chunks) {
    const chunk = await fetchChunk(archive, summary)
    for (const event of eventsOfChunk(chunk, range)) {
      yield event
      if (++read % EVENTS_PER_TURN === 0) await pause()
    }
  }
}

async function fetchChunk(archive: Archive, summary: ChunkSummary): Promise<Chunk> {
  const names = Object.keys(summary.columns).filter((name) => !irrelevantColumn.test(name))
  const cells = await archive.columns(summary, names)
  const columns = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
  return new Chunk({ ...summary, columns }, (column) => cells.get(column))
}

function shareOf(device: string, shares: number): number {
  let hash = 0
  for (let index = 0; index < device.length; index++) hash = (Math.imul(hash, 31) + device.charCodeAt(index)) | 0
  return (hash >>> 0) % shares
}
