import { setImmediate as pause } from 'node:timers/promises'
import {
  tryDecodeEnvelope,
  encodeEnvelope,
  forgottenId,
  seenDateOf,
  timeZone,
  utcDate,
  validateEnvelope,
  type ArchivedEvent,
  type ForgetPart,
  type ForgetTally,
} from '@hopper/contracts'
import { emptyBatch, ForgottenEvents, type DeadLetter, type LaneBatch } from '@hopper/storage'
import { archivedEventsOf } from '../backfill/archived-date.ts'
import { SessionFold } from '../fold/fold-sessions.ts'
import { isCounted, type CountedApp } from '../judge/judge.ts'
import { judgeArchived } from '../recount/fold-archived.ts'
import type { SeenFilters } from '../seen/seen-filters.ts'
import { forgottenEvents, ForgottenRows } from './forgotten-rows.ts'
import type { ForgetTask } from './forget-task.ts'
import type { RewritableStore } from '../lane/rewritable-lane.ts'

/** An app in an owned lane. */
type CheckedLane = Pick<ForgetTask, 'app' | 'lane' | 'owned' | 'assertOwned'>

const LETTERS_PER_READ = 100
/** Sessions that are recounted together, while batches wait. */
const SESSIONS_PER_BATCH = 500

/** The archived data of a person in a lane, without any of its texts. */
interface ArchivedData {
  readonly dates: Record<string, number>
  readonly received: Record<string, number>
  readonly events: Record<string, number>
  bots: number
  /** sessions with the time at which they begin */
  readonly sessions: Map<string, number>
}

/**
 * Removes a person from the sets of a lane: replaces the ids of its events by their hashes, recounts its sessions
 * without it, and removes its dead letters. Also counts its archived data. May be interrupted anywhere and run again,
 * as long as the archive is not rewritten.
 */
export async function forgetSets(
  store: RewritableStore,
  task: ForgetTask,
  part: ForgetPart,
  seen: SeenFilters,
): Promise<ForgetPart> {
  const { app, lane } = task
  const rows = new ForgottenRows(app.id, part)
  const found: ArchivedData = { dates: {}, received: {}, events: {}, bots: 0, sessions: new Map() }
  for await (const events of forgottenEvents(store.archive, { app: app.id, lane, rows }, task.assertOwned)) {
    collect(found, app, events)
    await task.owned.exclusively((lease) =>
      hideIds(store, task, events, (date, ids) => seen.add(lane, date, ids), lease),
    )
  }
  const dead_letters = await forgetLetters(store, task, part)
  const remaining = (lane: number, archived: ArchivedEvent): ArchivedEvent | undefined =>
    lane === task.lane && rows.has(archived) ? undefined : archived
  const ordered = [...found.sessions].sort(([, a], [, b]) => a - b).map(([id]) => id)
  await replaceSessions(store, task, ordered, { remainderOf: remaining })
  const { dates, received, events, bots, sessions } = found
  const tally: ForgetTally = { ...part.tally, events, bots, sessions: sessions.size, dead_letters }
  return { ...part, dates, received, tally }
}

function collect(found: ArchivedData, app: CountedApp, events: readonly ArchivedEvent[]): void {
  const zone = timeZone(app.timezone)
  for (const archived of events) {
    const { event, received_at } = archived
    const wasCounted = isCounted(judgeArchived(app, archived))
    const [date, received] = [zone.dateOf(event.timestamp), utcDate(received_at)]
    if (wasCounted) found.dates[date] = (found.dates[date] ?? 0) + 1
    else found.bots++
    found.received[received] = (found.received[received] ?? 0) + 1
    found.events[event.type] = (found.events[event.type] ?? 0) + 1
    if (wasCounted && event.session_id !== undefined)
      found.sessions.set(event.session_id, Math.min(found.sessions.get(event.session_id) ?? Infinity, event.timestamp))
  }
}

/** Replaces the ids of events by their hashes, which are added to the filters first. */
async function hideIds(
  { writer }: RewritableStore,
  { app }: ForgetTask,
  events: readonly ArchivedEvent[],
  addToFilters: (partition: { app: string; date: string }, ids: readonly string[]) => void,
  lease: Parameters<RewritableStore['writer']['replaceSeen']>[0],
): Promise<void> {
  for (const [date, ofDate] of Map.groupBy(events, ({ event }) => seenDateOf(event))) {
    const replacements = ofDate.map(({ event: { event_id } }) => ({
      event_id,
      by: forgottenId(app.id, event_id),
    }))
    addToFilters(
      { app: app.id, date },
      replacements.map(({ by }) => by),
    )
    await writer.replaceSeen(lease, { app: app.id, date }, replacements)
  }
}

/**
 * Removes the dead letters of a person; one that also contains events of others is kept without that person's. Returns
 * how many changed.
 */
async function forgetLetters(store: RewritableStore, task: ForgetTask, part: ForgetPart): Promise<number> {
  const { app, forget } = task
  const events = ForgottenEvents.of(app.id, [forget], [part])
  if (!events) return part.tally.dead_letters
  const changed = await changeLetters(store, task, (letter) => letterWithout(letter, app.id, events))
  return part.tally.dead_letters + changed
}

/** Replaces dead letters of a lane, or removes those that would be empty. Returns how many changed. */
export async function changeLetters(
  { reader, writer }: RewritableStore,
  { lane, owned, assertOwned }: CheckedLane,
  change: (letter: DeadLetter) => DeadLetter | undefined,
): Promise<number> {
  let changed = 0
  for (let from = 0, read = 1; read > 0;) {
    assertOwned()
    const letters = await reader.deadLettersFrom(lane, from, LETTERS_PER_READ)
    for (const letter of letters) {
      const kept = change(letter)
      if (kept === letter) continue
      changed++
      await owned.exclusively(async (lease) => {
        await writer.removeDeadLetters(lane, [letter.position])
        if (kept) await writer.apply(lease, { ...emptyBatch, lane, deadLetters: [kept] })
      })
    }
    read = letters.length
    from = (letters.at(-1)?.position ?? from) + 1
  }
  return changed
}

/** Returns a dead letter without the forgotten events; undefined when it has no others. */
function letterWithout(letter: DeadLetter, app: string, events: ForgottenEvents): DeadLetter | undefined {
  const before = tryDecodeEnvelope(letter.value)
  if (before?.app !== app) return letter
  const after = events.without(letter.position, before, validateEnvelope(before) === undefined)
  if (after === before) return letter
  return after.device_id === '' ? undefined : { ...letter, value: encodeEnvelope(after) }
}

/** Times of the first and the last of some events, ms. */
export interface TimeSpan {
  readonly first: number
  readonly last: number
}

/** The events of sessions that remain. */
export interface RemainingEvents {
  /** returns an event as it remains; undefined if it does not */
  readonly remainderOf: (lane: number, archived: ArchivedEvent) => ArchivedEvent | undefined
  /** no event before this instant (ms) remains */
  readonly from?: number
  /** times of events (ms) that a session has or may get, by its id, in addition to those in the tables */
  readonly times?: ReadonlyMap<string, TimeSpan>
}

/** Recounts sessions from the events that remain, in batches. */
export async function replaceSessions(
  store: RewritableStore,
  appLane: CheckedLane,
  ordered: readonly string[],
  remaining: RemainingEvents,
): Promise<void> {
  const { app, lane, owned, assertOwned } = appLane
  for (let start = 0; start < ordered.length; start += SESSIONS_PER_BATCH) {
    assertOwned()
    const ids = ordered.slice(start, start + SESSIONS_PER_BATCH)
    await owned.exclusively(async (lease) => {
      const { position: before } = await owned.archive()
      const sessions = await remainingSessions(store, appLane, remaining, new Set(ids))
      await store.writer.replaceSessions({ ...lease, lane }, app.id, ids, sessions, before)
    })
    await pause()
  }
}

/** Folds the sessions of these ids from the events that remain. */
async function remainingSessions(
  { archive, reader, writer }: RewritableStore,
  { app, lane }: CheckedLane,
  { remainderOf, from: first = -Infinity, times }: RemainingEvents,
  ids: ReadonlySet<string>,
): Promise<LaneBatch['sessions']> {
  let [from, to] = [Infinity, -Infinity]
  for (const id of ids) {
    const known = await reader.session(app.id, id)
    const span = times?.get(id)
    const [start, end] = [
      Math.min(known?.start ?? Infinity, span?.first ?? Infinity),
      Math.max(known?.end ?? -Infinity, span?.last ?? -Infinity),
    ]
    if (end < first || start > end) continue
    from = Math.max(first, Math.min(from, start))
    to = Math.max(to, end + 1)
  }
  const remaining: { readonly lane: number; readonly archived: ArchivedEvent }[] = []
  if (from > to) return []
  const where = writer.hasSessionsByLane ? { lane } : {}
  for (const summary of await archive.list({ app: app.id, from, to, ...where })) {
    for await (const archived of archivedEventsOf(archive, [summary], { from, to })) {
      if (archived.event.session_id === undefined || !ids.has(archived.event.session_id)) continue
      const kept = remainderOf(summary.lane, archived)
      if (kept) remaining.push({ lane: summary.lane, archived: kept })
    }
  }
  // Sessions end with the last of their events in the log.
  remaining.sort(
    (a, b) => a.lane - b.lane || a.archived.position - b.archived.position || a.archived.index - b.archived.index,
  )
  const fold = new SessionFold()
  fold.add(remaining.map(({ archived }) => judgeArchived(app, archived)))
  return fold.changes()
}
