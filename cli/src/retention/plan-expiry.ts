import { justifiedTime } from '@hopper/aggregator'
import { keptFromAt, keptFromInstant, timeZone, type App } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { fetchChunk } from '../installation/archived-events.ts'

/** Events of an app that a run would remove. */
export interface ExpiryPlan {
  readonly app: string
  /** null: the app keeps events forever */
  readonly retention_days: number | null
  /** date from which events are kept; null when all are */
  readonly kept_from: string | null
  /** archived events that are older */
  readonly events: number
  /** chunks of the archive that are removed whole, their bytes, and those that are rewritten without old events */
  readonly chunks: { readonly dropped: number; readonly bytes: number; readonly rewritten: number }
  /** dates with data in the tables: their number, the first and the last */
  readonly dates: { readonly count: number; readonly first: string | null; readonly last: string | null }
}

/**
 * Determines the data of an app that expires at an instant (ms), as far as received events justify it. Changes nothing.
 */
export async function planExpiry(
  { archive, writer, log }: Pick<Storage, 'archive' | 'writer' | 'log'>,
  app: App,
  now: number,
): Promise<ExpiryPlan> {
  const keptFrom = keptFromAt(app, await justifiedTime(log, now))
  const zone = timeZone(app.timezone)
  const dates = new Set<string>()
  const chunks = { dropped: 0, bytes: 0, rewritten: 0 }
  let events = 0
  const before = keptFrom === undefined ? 0 : keptFromInstant({ ...app, kept_from: keptFrom })
  for (let lane = 0; keptFrom !== undefined && lane < log.lanes; lane++) {
    for (const date of await writer.datesOf(lane, app.id, app.kept_from ?? '', keptFrom)) dates.add(date)
    for (const summary of (await archive?.list({ app: app.id, lane, from: 0, to: before })) ?? []) {
      dates.add(zone.dateOf(summary.min_time))
      if (summary.max_time < before) {
        events += summary.rows
        chunks.dropped++
        chunks.bytes += Object.values(summary.columns).reduce((sum, bytes) => sum + bytes, 0)
        continue
      }
      const chunk = await fetchChunk(archive!, summary, (column) => column === 'runs' || column === 'timestamp')
      events += chunk.times().reduce((sum, time) => sum + Number(time < before), 0)
      chunks.rewritten++
    }
  }
  const ordered = [...dates].sort()
  return {
    app: app.id,
    retention_days: app.retention_days ?? null,
    kept_from: keptFrom ?? null,
    events,
    chunks,
    dates: { count: ordered.length, first: ordered[0] ?? null, last: ordered.at(-1) ?? null },
  }
}
