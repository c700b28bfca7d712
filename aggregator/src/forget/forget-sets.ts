import { setImmediate as pause } from 'node:timers/promises'
import {
  decodeEnvelope,
  DecodeError,
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
import { ForgottenEvents, type DeadLetter, type LaneBatch } from '@hopper/storage'
import { archivedEventsOf } from '../backfill/archived-date.ts'
import { SessionFold } from '../fold/fold-sessions.ts'
import { isCounted, type CountedApp } from '../judge/judge.ts'
import { judgeArchived } from '../recount/fold-archived.ts'
import type { SeenFilters } from '../seen/seen-filters.ts'
import { forgottenEvents, ForgottenRows } from './forgotten-rows.ts'
import type { ForgetPlace, ForgettingStore } from './lane-parts.ts'

const LETTERS_PER_READ = 100
/** Sessions that are recounted together, while batches wait. */
const SESSIONS_AT_ONCE = 500
const nothing: Omit<LaneBatch, 'lane' | 'deadLetters'> = {
  counters: [],
  visitors: [],
  seen: [],
  identities: [],
  sessions: [],
}

/** What the archive has of a person in a lane, without any text of it. */
interface Found {
  readonly dates: Record<string, number>
  readonly received: Record<string, number>
  readonly events: Record<string, number>
  bots: number
  /** sessions with the time at which they begin */
  readonly sessions: Map<string, number>
}

/**
 * Removes a person from the sets of a lane: ids of its events are replaced by their hashes, its sessions are recounted
 * without it, its dead letters are removed. Counts what the archive has of it. May be interrupted anywhere and run
 * again, as long as the archive is not rewritten.
 */
export async function forgetSets(
  store: ForgettingStore,
  place: ForgetPlace,
  part: ForgetPart,
  seen: SeenFilters,
): Promise<ForgetPart> {
  const { app, lane } = place
  const rows = new ForgottenRows(app.id, part)
  const found: Found = { dates: {}, received: {}, events: {}, bots: 0, sessions: new Map() }
  for await (const events of forgottenEvents(store.archive, { app: app.id, lane, rows }, place.assertOwned)) {
    collect(found, app, events)
    await place.own.exclusively((lease) =>
      hideIds(store, place, events, (date, ids) => seen.add(lane, date, ids), lease),
    )
  }
  const dead_letters = await forgetLetters(store, place, part)
  await forgetSessions(store, place, rows, found.sessions)
  const { dates, received, events, bots, sessions } = found
  const tally: ForgetTally = { ...part.tally, events, bots, sessions: sessions.size, dead_letters }
  return { ...part, dates, received, tally }
}

function collect(found: Found, app: CountedApp, events: readonly ArchivedEvent[]): void {
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

/** Replaces the ids of events by their hashes; the filters hear of these first. */
async function hideIds(
  { writer }: ForgettingStore,
  { app }: ForgetPlace,
  events: readonly ArchivedEvent[],
  tell: (partition: { app: string; date: string }, ids: readonly string[]) => void,
  lease: Parameters<ForgettingStore['writer']['replaceSeen']>[0],
): Promise<void> {
  for (const [date, some] of Map.groupBy(events, ({ event }) => seenDateOf(event))) {
    const replacements = some.map(({ event: { event_id } }) => ({
      event_id,
      by: forgottenId(app.id, event_id),
    }))
    tell(
      { app: app.id, date },
      replacements.map(({ by }) => by),
    )
    await writer.replaceSeen(lease, { app: app.id, date }, replacements)
  }
}

/** Removes the dead letters of a person; one that is also of others is kept without it. Returns how many changed. */
async function forgetLetters(
  { reader, writer }: ForgettingStore,
  { app, forget, lane, own, assertOwned }: ForgetPlace,
  part: ForgetPart,
): Promise<number> {
  const events = ForgottenEvents.of(app.id, [forget], [part])
  let changed = part.tally.dead_letters
  for (let from = 0, read = 1; events && read > 0;) {
    assertOwned()
    const letters = await reader.deadLettersFrom(lane, from, LETTERS_PER_READ)
    for (const letter of letters) {
      const kept = letterWithout(letter, app.id, events)
      if (kept === letter) continue
      changed++
      await own.exclusively(async (lease) => {
        await writer.removeDeadLetters(lane, [letter.position])
        if (kept) await writer.apply(lease, { ...nothing, lane, deadLetters: [kept] })
      })
    }
    read = letters.length
    from = (letters.at(-1)?.position ?? from) + 1
  }
  return changed
}

/** Returns a letter without what is forgotten of it; undefined when nothing else is in it. */
function letterWithout(letter: DeadLetter, app: string, events: ForgottenEvents): DeadLetter | undefined {
  try {
    const before = decodeEnvelope(letter.value)
    if (before.app !== app) return letter
    const after = events.without(letter.position, before, validateEnvelope(before) === undefined)
    if (after === before) return letter
    return after.device_id === '' ? undefined : { ...letter, value: encodeEnvelope(after) }
  } catch (error) {
    if (error instanceof DecodeError) return letter
    throw error
  }
}

/** Recounts the sessions of a person from the events that remain, some at a time. */
async function forgetSessions(
  store: ForgettingStore,
  place: ForgetPlace,
  rows: ForgottenRows,
  sessions: ReadonlyMap<string, number>,
): Promise<void> {
  const { app, lane, own, assertOwned } = place
  const ordered = [...sessions].sort(([, a], [, b]) => a - b).map(([id]) => id)
  for (let at = 0; at < ordered.length; at += SESSIONS_AT_ONCE) {
    assertOwned()
    const ids = ordered.slice(at, at + SESSIONS_AT_ONCE)
    await own.exclusively(async (lease) => {
      const { position: before } = await own.archive()
      const remaining = await remainingSessions(store, place, rows, new Set(ids))
      await store.writer.replaceSessions({ ...lease, lane }, app.id, ids, remaining, before)
    })
    await pause()
  }
}

/** Folds the sessions of these ids from the events that are not forgotten. */
async function remainingSessions(
  { archive, reader, writer }: ForgettingStore,
  { app, lane }: ForgetPlace,
  rows: ForgottenRows,
  ids: ReadonlySet<string>,
): Promise<LaneBatch['sessions']> {
  let [from, to] = [Infinity, -Infinity]
  for (const id of ids) {
    const known = await reader.session(app.id, id)
    if (!known) continue
    from = Math.min(from, known.start)
    to = Math.max(to, known.end + 1)
  }
  const remaining: { readonly lane: number; readonly archived: ArchivedEvent }[] = []
  if (from > to) return []
  const where = writer.hasSessionsByLane ? { lane } : {}
  for (const summary of await archive.list({ app: app.id, from, to, ...where })) {
    for await (const archived of archivedEventsOf(archive, [summary], { from, to })) {
      if (archived.event.session_id === undefined || !ids.has(archived.event.session_id)) continue
      if (summary.lane !== lane || !rows.has(archived)) remaining.push({ lane: summary.lane, archived })
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
