import type { App } from './app.ts'
import { utcDate } from './events/utc-date.ts'
import { shiftDate, timeZone } from './time-zone.ts'

/**
 * From which date the events of an app are kept. Decided once by the owner of the first lane, and never moved back:
 * older events have expired for every reader from then on, although their removal takes a while.
 */
export interface Retention {
  readonly app: string
  /** local date of the app */
  readonly kept_from: string
  /** ms since the epoch */
  readonly decided_at: number
  /** set when every lane has removed what is older */
  readonly finished_at?: number
}

/**
 * Steps of a lane, in this order; each names what is done.
 * - `waiting`: nothing: readers that began before the decision are waited for, or `problem` says what is in the way
 * - `decided`: batches are judged with the new date (`judged_from`)
 * - `sets`: ids, sessions and dead letters of expired events are gone
 * - `archived`: the archive no longer has the events
 * - `tables`: the tables have no expired date
 * - `counted`: fates by date of receipt count the events as expired
 * - `identities`: the users of devices without any event left are no longer known
 * - `done`: the log no longer has the events, where it can change messages
 */
export const retentionSteps = [
  'waiting',
  'decided',
  'sets',
  'archived',
  'tables',
  'counted',
  'identities',
  'done',
] as const
export type RetentionStep = (typeof retentionSteps)[number]

/** Counts of what a lane has removed in its last run. */
export interface RetentionTally {
  /** archived events, machines included */
  readonly events: number
  /** dates of which tables were removed, those of receipt included */
  readonly dates: number
  readonly sessions: number
  readonly dead_letters: number
  /** devices without any event left whose users are no longer known */
  readonly devices: number
  /** messages of the log that were changed */
  readonly messages: number
}

/** A range of positions of a lane: from `from` up to, but not including, `to`. */
export type PositionRange = readonly [from: number, to: number]

/** The part of a lane in expiring an app. The lane's owner stores it in the registry after each step. */
export interface RetentionPart {
  readonly app: string
  readonly lane: number
  /** the date before which the lane removes everything */
  readonly kept_from: string
  readonly step: RetentionStep
  /** why the lane cannot begin or continue now */
  readonly problem?: string
  /** the date from which batches of the lane count events; see `judgedFrom` */
  readonly judged_from?: string
  /** the last completed run has removed everything before this date */
  readonly expired_to?: string
  /** UTC dates of receipt that are kept and on which expired events were received */
  readonly received: readonly string[]
  /** ascending positions of messages that were received on a kept date and have expired events */
  readonly scattered: readonly PositionRange[]
  /** the log has no older events before this position */
  readonly log_position: number
  /** see `IdentityChange.generation`: that of devices that are identified after their identities have expired */
  readonly generation: number
  readonly tally: RetentionTally
}

export const emptyRetentionTally: RetentionTally = {
  events: 0,
  dates: 0,
  sessions: 0,
  dead_letters: 0,
  devices: 0,
  messages: 0,
}

/** Returns the date from which an app keeps its events at an instant (ms); undefined when it keeps them forever. */
export function keptFromAt(app: App, now: number): string | undefined {
  const { retention_days: days, kept_from: known = '' } = app
  if (days === undefined || days === null) return app.kept_from
  const date = shiftDate(timeZone(app.timezone).dateOf(now), -days)
  return date > known ? date : known
}

/** Cached instants by date; each app has its own cache. */
const instants = new Map<string, number>()
const INSTANTS_MAX = 10_000

/** Returns the first instant (ms) whose events an app keeps; 0 when it keeps all. */
export function keptFromInstant({ kept_from, timezone }: Pick<App, 'kept_from' | 'timezone'>): number {
  if (kept_from === undefined) return 0
  const key = `${timezone} ${kept_from}`
  let instant = instants.get(key)
  if (instant === undefined) {
    if (instants.size >= INSTANTS_MAX) instants.clear()
    instants.set(key, (instant = timeZone(timezone).startOf(kept_from)))
  }
  return instant
}

/** Returns whether an event is older than its app keeps events. */
export function isOlderThanKept(
  app: Pick<App, 'kept_from' | 'timezone'>,
  { timestamp }: { timestamp: number },
): boolean {
  return app.kept_from !== undefined && timestamp < keptFromInstant(app)
}

/**
 * Returns the first UTC date of receipt whose fates an app keeps: the one on which the kept dates begin; '' when it
 * keeps all.
 */
export function receivedFrom(app: Pick<App, 'kept_from' | 'timezone'>): string {
  return app.kept_from === undefined ? '' : utcDate(keptFromInstant(app))
}

/**
 * Returns the date from which a lane counts events; undefined when it counts all. It follows `kept_from` at a moment at
 * which no batch of the lane is written in part, so that a batch that is delivered again is judged as it was before.
 */
export function judgedFrom({ judged_from, step, kept_from, expired_to }: RetentionPart): string | undefined {
  // Parts that were stored before `judged_from` existed.
  return judged_from ?? (step === 'waiting' ? expired_to : kept_from)
}

/** Returns the registry id of the part of a lane. */
export function retentionPartId({ app, lane }: Pick<RetentionPart, 'app' | 'lane'>): string {
  return `${app} ${lane}`
}
