import { shiftDate, timeZone, type App } from '@hopper/contracts'
import { encodeEvents, eventsOfChunk, type ExportedEvent, type ExportFormat, type ExportRange } from '@hopper/engine'
import type { Archive, Storage } from '@hopper/storage'
import { fetchChunks } from '../installation/archived-events.ts'

/**
 * Merged spans stay readable for some minutes only. So a month of a lane is listed and read before the next is listed.
 */
const WINDOW_MS = 31 * 86_400_000

export interface ExportRequest {
  readonly format: ExportFormat
  /** dates of the app, both included; by default all */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/**
 * Yields all archived events of an app in the range, lane by lane and month by month. Memory is bounded by one chunk.
 */
export function exportApp(
  { log, archive }: Storage & { readonly archive: Archive },
  app: App,
  { format, from, to }: ExportRequest,
): AsyncGenerator<Uint8Array> {
  const zone = timeZone(app.timezone)
  const range = {
    from: from === undefined ? 0 : zone.startOf(from),
    to: to === undefined ? Number.MAX_SAFE_INTEGER : zone.startOf(shiftDate(to, 1)),
  }
  return encodeEvents(format, eventsOf(archive, app.id, log.lanes, range))
}

async function* eventsOf(
  archive: Archive,
  app: string,
  lanes: number,
  range: ExportRange,
): AsyncGenerator<Iterable<ExportedEvent>> {
  for (let lane = 0; lane < lanes; lane++) {
    const chunks = await archive.list({ app, lane, ...range })
    const first = chunks.reduce((least, { min_time }) => Math.min(least, min_time), Infinity)
    const end = chunks.reduce((most, { max_time }) => Math.max(most, max_time + 1), 0)
    for (let from = Math.max(range.from, first); from < Math.min(range.to, end); from += WINDOW_MS) {
      const window = { from, to: Math.min(from + WINDOW_MS, range.to) }
      for await (const chunk of fetchChunks(archive, await archive.list({ app, lane, ...window })))
        yield eventsOfChunk(chunk, window)
    }
  }
}
