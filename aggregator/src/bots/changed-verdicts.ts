import { setImmediate as pause } from 'node:timers/promises'
import {
  isAction,
  keptRules,
  ownVerdict,
  SESSION_REACH_MS,
  SessionVerdict,
  timeZone,
  utcDate,
  type ArchivedEvent,
  type BotReason,
  type ChunkSummary,
  type OwnVerdict,
} from '@hopper/contracts'
import { judgedColumns, judgedRows, type ExportRange, type JudgedRow } from '@hopper/engine'
import { placeOf, type Archive } from '@hopper/storage'
import { fetchColumns } from '../forget/forgotten-rows.ts'
import type { TimeSpan } from '../forget/forget-sets.ts'
import type { CountedApp } from '../judge/judge.ts'

/**
 * Maximum number of events in memory, about 150 bytes each. If there are more, the sessions are read in several shares.
 */
const EVENTS_MAX = 200_000
/** Maximum number of changes in memory. Once they are made, the review runs again and finds the others. */
export const CHANGES_MAX = 200_000
const EVENTS_PER_TURN = 5_000

/** An app in a lane whose archive is reviewed. */
export interface ReviewedArchive {
  readonly archive: Archive
  readonly app: CountedApp
  readonly lane: number
  /** position before which everything is in the tables and in the archive; later events are not considered */
  readonly before: number
  /** Throws `LaneLost` when the lane was given away, or the process is about to end. */
  readonly assertOwned: () => void
}

/** Events whose verdicts are reviewed. */
export interface ReviewedEvents {
  /** their times */
  readonly range: ExportRange
  /**
   * the only events to consider: those of these sessions (see `sessionKey`), and those without a session from this
   * position on
   */
  readonly fresh?: { readonly sessions: ReadonlySet<string> | undefined; readonly from: number }
  /** positions whose dates are recounted even if no verdict changes: batches may have been judged in two ways */
  readonly unsure: { readonly from: number; readonly to: number }
}

/** Verdicts of archived events to change, and the dates and sessions that depend on them. */
export class ChangedVerdicts {
  /** by place in the lane; null for an event that is not a bot's */
  readonly verdicts = new Map<number, BotReason | null>()
  readonly dates = new Set<string>()
  /** dates that are recounted even if none of their verdicts change */
  readonly unsureDates = new Set<string>()
  /** UTC dates of receipt */
  readonly received = new Set<string>()
  /** sessions whose bounds may change, with the times of the events that change */
  readonly sessions = new Map<string, TimeSpan>()
  /** times of the events that change */
  span: TimeSpan = { first: Infinity, last: -Infinity }

  get isFull(): boolean {
    return this.verdicts.size >= CHANGES_MAX
  }

  get isEmpty(): boolean {
    return this.verdicts.size === 0 && this.unsureDates.size === 0
  }

  /** Returns an archived event with its new verdict, if it has one. */
  of({ position, index }: Pick<ArchivedEvent, 'position' | 'index'>): BotReason | null | undefined {
    return this.verdicts.get(placeOf(position, index))
  }
}

/** Identifies a session in a lane. */
export function sessionKey(device: string, session: string): string {
  return `${device}\0${session}`
}

interface Held {
  readonly timestamp: number
  readonly own: OwnVerdict
  readonly isAction: boolean
  readonly bot: BotReason | undefined
  readonly received_at: number
  readonly position: number
  readonly index: number
}

/** Adds the changes of verdicts of some events to `found`, until it is full. */
export async function findChanges(
  source: ReviewedArchive,
  events: ReviewedEvents,
  found: ChangedVerdicts,
): Promise<void> {
  for (let shares = 1, share = 0; share < shares && !found.isFull; share++) {
    const isOf = (key: string): boolean => shares === 1 || shareOf(key, shares) === share
    const sessions = await heldSessions(source, events, isOf, found, share === 0)
    if (sessions) for (const [key, held] of sessions) addSession(source, events, key, held, found)
    // Too many at once: starts over with four times as many shares. Changes found before are found again.
    else [shares, share] = [shares * 4, -1]
  }
}

/** Reads the sessions of a share with all events that decide about them; undefined if they are too many. */
async function heldSessions(
  source: ReviewedArchive,
  { range, fresh, unsure }: ReviewedEvents,
  isOf: (key: string) => boolean,
  found: ChangedVerdicts,
  isFirst: boolean,
): Promise<Map<string, Held[]> | undefined> {
  const { app } = source
  const rules = keptRules(app)
  const held = new Map<string, Held[]>()
  const reach = { from: Math.max(0, range.from - SESSION_REACH_MS), to: range.to + SESSION_REACH_MS }
  let count = 0
  for await (const row of archivedRows(source, reach)) {
    const own = ownVerdict(row, rules, app)
    const { device, session, timestamp, received_at, position, index, context } = row
    const event = { timestamp, own, isAction: isAction(row.type), bot: context.bot, received_at, position, index }
    if (session === undefined) {
      // No other event decides about it.
      const bot = own === 'human' ? undefined : own
      if (isFirst && position >= (fresh?.from ?? 0) && timestamp >= range.from && timestamp < range.to)
        add(source, unsure, undefined, event, bot, found)
      continue
    }
    const key = sessionKey(device, session)
    if (!(fresh?.sessions?.has(key) ?? true) || !isOf(key)) continue
    if (++count > EVENTS_MAX && held.size > 1) return undefined
    const known = held.get(key)
    if (known) known.push(event)
    else held.set(key, [event])
  }
  return held
}

function addSession(
  source: ReviewedArchive,
  { range, unsure }: ReviewedEvents,
  key: string,
  events: readonly Held[],
  found: ChangedVerdicts,
): void {
  const verdict = new SessionVerdict(events)
  const session = key.slice(key.indexOf('\0') + 1)
  for (const event of events) {
    const { timestamp } = event
    if (timestamp >= range.from && timestamp < range.to)
      add(source, unsure, session, event, verdict.at(timestamp), found)
  }
}

function add(
  { app }: ReviewedArchive,
  unsure: ReviewedEvents['unsure'],
  session: string | undefined,
  event: Held,
  bot: BotReason | undefined,
  found: ChangedVerdicts,
): void {
  const { timestamp, received_at, position, index } = event
  const date = timeZone(app.timezone).dateOf(timestamp)
  // Expired events are about to be removed, and must not be counted again.
  if (date < (app.kept_from ?? '') || found.isFull) return
  const isUnsure = position >= unsure.from && position < unsure.to
  if (event.bot === bot && !isUnsure) return
  if (event.bot !== bot) {
    found.verdicts.set(placeOf(position, index), bot ?? null)
    found.span = widened(found.span, timestamp)
  }
  if (isUnsure) found.unsureDates.add(date)
  found.dates.add(date)
  found.received.add(utcDate(received_at))
  if (session === undefined) return
  found.sessions.set(session, widened(found.sessions.get(session), timestamp))
}

function widened(span: TimeSpan | undefined, timestamp: number): TimeSpan {
  return { first: Math.min(timestamp, span?.first ?? Infinity), last: Math.max(timestamp, span?.last ?? -Infinity) }
}

/** Events that are new since a review, and the sessions that they belong to. */
export interface FreshEvents {
  /** times of the first and the last of them in each month */
  readonly spans: readonly TimeSpan[]
  /** undefined if they are too many to be listed */
  readonly sessions: ReadonlySet<string> | undefined
}

const SESSIONS_MAX = 100_000

/** Finds the events of a lane from a position on. */
export async function freshEvents(source: ReviewedArchive, from: number): Promise<FreshEvents> {
  const months = new Map<string, TimeSpan>()
  let sessions: Set<string> | undefined = new Set()
  const isFresh = ({ last_position }: ChunkSummary): boolean => last_position >= from
  for await (const { device, session, timestamp, position } of archivedRows(source, ALL, isFresh)) {
    if (position < from) continue
    const month = utcDate(timestamp).slice(0, 7)
    months.set(month, widened(months.get(month), timestamp))
    if (session === undefined) continue
    sessions?.add(sessionKey(device, session))
    if (sessions && sessions.size > SESSIONS_MAX) sessions = undefined
  }
  return { spans: [...months.values()], sessions }
}

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }

async function* archivedRows(
  { archive, app, lane, before, assertOwned }: ReviewedArchive,
  range: ExportRange,
  isWanted: (summary: ChunkSummary) => boolean = () => true,
): AsyncGenerator<JudgedRow> {
  let read = 0
  for (const summary of await archive.list({ app: app.id, lane, ...range })) {
    assertOwned()
    if (summary.first_position >= before || !isWanted(summary)) continue
    const names = Object.keys(summary.columns).filter((name) => judgedColumns.has(name))
    const columns = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
    for (const row of judgedRows(await fetchColumns(archive, { ...summary, columns }, names), range)) {
      if (row.position < before) yield row
      if (++read % EVENTS_PER_TURN === 0) await pause()
    }
  }
}

function shareOf(key: string, shares: number): number {
  let hash = 0
  for (let index = 0; index < key.length; index++) hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0
  return (hash >>> 0) % shares
}
