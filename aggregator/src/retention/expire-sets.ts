import {
  tryDecodeEnvelope,
  encodeEnvelope,
  receivedFrom,
  seenDateOf,
  utcDate,
  type ArchivedEvent,
  type RetentionPart,
} from '@hopper/contracts'
import { withoutExpired, type DeadLetter } from '@hopper/storage'
import { changeLetters, replaceSessions } from '../forget/forget-sets.ts'
import type { RewritableStore } from '../lane/rewritable-lane.ts'
import { expiredEvents, PositionRanges } from './expired-rows.ts'
import type { RetentionTask } from './retention-task.ts'

/** Sessions that are looked up together, while batches wait. */
const SESSIONS_PER_BATCH = 200
/** Maximum ranges of positions that a part remembers; 30 bytes each. */
const RANGES_MAX = 1_000

/**
 * Removes the traces of a lane's expired events from sets: their ids, sessions and dead letters. Records the dates of
 * receipt that are kept, and the positions of the events in the log. May be interrupted anywhere and run again, as long
 * as the archive has the events.
 */
export async function expireSets(
  store: RewritableStore,
  task: RetentionTask,
  part: RetentionPart,
): Promise<RetentionPart> {
  const { app, lane, before, assertOwned } = task
  const kept = receivedFrom(app)
  const received = new Set(part.received)
  const scattered = new PositionRanges(part.scattered, RANGES_MAX)
  const tally = { ...part.tally, events: 0, sessions: 0 }
  for await (const events of expiredEvents(store.archive, { app: app.id, lane, before }, assertOwned)) {
    for (const { received_at, position } of events) {
      const date = utcDate(received_at)
      if (date < kept) continue
      received.add(date)
      scattered.add(position)
    }
    await removeIds(store, task, events)
    tally.events += events.length
    tally.sessions += await expireSessions(store, task, events)
  }
  const dead_letters = await changeLetters(store, task, (letter) => letterWithoutExpired(letter, task))
  return {
    ...part,
    received: [...received].filter((date) => date >= kept).sort(),
    scattered: scattered.ranges,
    tally: { ...tally, dead_letters: part.tally.dead_letters + dead_letters },
  }
}

async function removeIds(
  { writer }: RewritableStore,
  { app, owned }: RetentionTask,
  events: readonly ArchivedEvent[],
): Promise<void> {
  for (const [date, batch] of Map.groupBy(events, ({ event }) => seenDateOf(event))) {
    const ids = batch.map(({ event: { event_id } }) => ({ event_id }))
    await writer.replaceSeen(owned.currentLease(), { app: app.id, date }, ids)
  }
}

/** Removes the sessions of expired events, or folds them from the events that are kept. Returns their number. */
async function expireSessions(
  store: RewritableStore,
  task: RetentionTask,
  events: readonly ArchivedEvent[],
): Promise<number> {
  const ids = [...new Set(events.flatMap(({ event: { session_id } }) => session_id ?? []))]
  const { app, owned, before, assertOwned } = task
  const remaining = (_lane: number, archived: ArchivedEvent): ArchivedEvent | undefined =>
    archived.event.timestamp >= before ? archived : undefined
  for (let start = 0; start < ids.length; start += SESSIONS_PER_BATCH) {
    assertOwned()
    const batch = ids.slice(start, start + SESSIONS_PER_BATCH)
    const reaching = await owned.exclusively((lease) => store.writer.expireSessions(lease, app.id, batch, before))
    await replaceSessions(store, task, reaching, { remainderOf: remaining, from: before })
  }
  return ids.length
}

/** Returns a dead letter without its expired events; undefined when it has no others. */
function letterWithoutExpired(letter: DeadLetter, { app }: RetentionTask): DeadLetter | undefined {
  const sent = tryDecodeEnvelope(letter.value)
  if (sent?.app !== app.id) return letter
  if (utcDate(sent.received_at) < receivedFrom(app)) return undefined
  const after = withoutExpired(app, sent)
  if (after === sent) return letter
  return after.events.length + (after.rejected ?? []).length === 0
    ? undefined
    : { ...letter, value: encodeEnvelope(after) }
}
