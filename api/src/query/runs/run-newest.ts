import { keptFate, timeZone } from '@hopper/contracts'
import { NewestPlan, NewestRows, type ExportedEvent } from '@hopper/engine'
import { eventView } from '../../answers/events/events.ts'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime, QuestionOutcome } from '../pool/query-runtime.ts'
import type { NewestHead, QueryOf } from '../query.ts'
import { encodeList } from '../result.ts'
import { isNeeded, peopleFor } from './people-for.ts'
import { eventsAt } from './run-page.ts'

/** Chunks that are read together: after the first ones, few others can have newer events. */
const CHUNKS_AT_ONCE = 16

/** Returns the newest events with their fates, the newest first, encoded as they are answered. */
export async function runNewest(
  query: QueryOf<'newest'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<QuestionOutcome> {
  if (!(await isNeeded(await peopleFor(query, job, runtime), job, runtime))) return { kind: 'unneeded' }
  const plan = new NewestPlan(query.request)
  const newest = new NewestRows(plan)
  const chunks = [...job.chunks].sort((a, b) => b.max_time - a.max_time)
  for (let at = 0; at < chunks.length; at += CHUNKS_AT_ONCE) {
    const some = chunks.slice(at, at + CHUNKS_AT_ONCE).filter((summary) => newest.mayHaveNewer(summary))
    const fetches = some.map((summary) => ({ summary, names: plan.columns(summary) }))
    for (const batch of batchesOf(fetches))
      for (const chunk of await runtime.source.chunks(batch)) newest.scan(chunk, runtime.budget)
  }
  const rows = newest.rows()
  const events = await eventsAt(newest.chunks, rows, runtime)
  const times = rows.map(({ place: [time] }) => time)
  const head: Omit<NewestHead, 'digest'> = {
    ...(times.length > 0 && { times: [times.at(-1)!, times[0]!] }),
    ...(rows.length === query.request.limit && { next: rows.at(-1)!.place }),
  }
  return { kind: 'answered', result: encodeList(itemsOf(events, job.context.timezone), head) }
}

function itemsOf(events: readonly ExportedEvent[], timezone: string): string[] {
  const zone = timeZone(timezone)
  return events.map((event) => {
    const { timestamp } = event.event
    const { bot, historical } = event.context
    const { received_at } = event
    const [fate] = keptFate({ bot, historical, received_at, timestamp, date: zone.dateOf(timestamp) }, zone)
    return JSON.stringify({ ...eventView(event), fate })
  })
}
