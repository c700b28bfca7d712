import {
  botDefinition,
  botReviewId,
  datesBetween,
  HopperError,
  isChangingVerdicts,
  noTally,
  shiftDate,
  timeZone,
  type App,
  type AuditProgress,
  type AuditTally,
  type BotReview,
} from '@hopper/contracts'
import { readAhead, type Storage } from '@hopper/storage'
import { auditDates } from './audit-dates.ts'
import { withStages } from './audited-stages.ts'
import { auditFates, countReceived, type Received } from './audit-fates.ts'
import type { Compared, Drift } from './drift.ts'
import { LaneLease } from '../installation/lane-lease.ts'
import { LaneSource } from './lane-source.ts'
import { isRepairable, repair } from './repair.ts'

/** The scope of an audit. */
export interface AuditRequest {
  /** the apps of one organization; by default those of all */
  readonly organization?: string | undefined
  /** one app; by default all */
  readonly app?: string | undefined
  /** dates, both included; by default everything in the archive, up to today */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly repair?: boolean | undefined
  /** false: skips the log, and with it the fates that only the log knows */
  readonly log?: boolean | undefined
}

/** Receives results as soon as they are known. */
export interface AuditReport {
  drift(drift: Drift, repaired: boolean): void
  /** the log of a lane has lost its beginning, so duplicates and rejected events are not compared there */
  logIncomplete(lane: number): void
  /** a person is forgotten or old events expire in the lane at the moment: its tables are not compared */
  forgetting(app: string, lane: number): void
  /** verdicts about bots are changing in the lane at the moment: its tables are not compared */
  reviewing(app: string, lane: number): void
  /** a lane begins; what the lanes before it had */
  progress(progress: AuditProgress): void
}

/**
 * Recounts apps from the archive, plus the log for what is not archived yet, and compares every table of counters and
 * of visitors. Memory is bounded by a few dates of one lane. With `repair`, each lane is taken from its owner while it
 * is corrected. Stores nothing else: `RecordedAudit` does.
 */
export async function runAudit(storage: Storage, request: AuditRequest, report: AuditReport): Promise<AuditTally> {
  const apps = await appsOf(storage, request)
  const audited: { app: App; dates: readonly string[] }[] = []
  for await (const each of readAhead(apps, async (app) => ({ app, dates: await datesOf(storage, app, request) }), {
    concurrency: 4,
  }))
    audited.push(each)
  const all = await Promise.all((await storage.registry.apps.list()).map((app) => withStages(storage.registry, app)))
  const known = new Map(all.map((app) => [app.id, app]))
  const tally = { ...noTally }
  for (let lane = 0; lane < storage.log.lanes; lane++) {
    report.progress({ ...tally, lane, lanes: storage.log.lanes })
    await using held = request.repair ? await LaneLease.take(storage.lanes, lane, `audit-${process.pid}`) : undefined
    const source = new LaneSource(storage, lane, async (id) => known.get(id))
    for await (const { partitions, differing, skipped = 0, drift } of auditLane(source, audited, request, report)) {
      tally.skipped += skipped
      tally.partitions += partitions
      tally.differing_partitions += differing
      tally.differing += drift.length
      tally.repaired += await settle(storage, held, drift, report)
    }
  }
  return tally
}

/** A lane of an app that changes at the moment. */
const leftOut: Compared = { partitions: 0, differing: 0, skipped: 1, drift: [] }

async function* auditLane(
  source: LaneSource,
  audited: readonly { app: App; dates: readonly string[] }[],
  { log = true }: AuditRequest,
  report: AuditReport,
): AsyncGenerator<Compared> {
  const received = log ? await countReceived(source) : undefined
  if (log && !received) report.logIncomplete(source.lane)
  for (const { app, dates } of audited) {
    if (dates.length === 0) continue
    if (await isForgetting(source, app.id)) {
      report.forgetting(app.id, source.lane)
      yield leftOut
      continue
    }
    yield* auditReviewed(source, app, dates, received, report)
  }
}

/** Compares an app in a lane, unless verdicts about bots change there meanwhile. */
async function* auditReviewed(
  source: LaneSource,
  app: App,
  dates: readonly string[],
  received: Received | undefined,
  report: AuditReport,
): AsyncGenerator<Compared> {
  const isMoving = await reviewOf(source, app)
  const leaveOut = (): Compared => (report.reviewing(app.id, source.lane), leftOut)
  if (await isMoving()) {
    yield leaveOut()
    return
  }
  for await (const compared of comparisons(source, app, dates, received)) {
    if (await isMoving()) {
      yield leaveOut()
      return
    }
    yield compared
  }
}

async function* comparisons(...compared: Parameters<typeof auditFates>): AsyncGenerator<Compared> {
  const [source, app, dates] = compared
  yield* auditDates(source, app, dates)
  yield await auditFates(...compared)
}

/**
 * Returns a function that returns whether verdicts about bots change in a lane, have changed since the call, or batches
 * may have been judged by earlier rules.
 */
async function reviewOf({ storage: { registry }, lane }: LaneSource, app: App): Promise<() => Promise<boolean>> {
  const read = (): Promise<BotReview | undefined> => registry.botReviews.get(app.id, botReviewId({ app: app.id, lane }))
  const before = await read()
  return async () => {
    const review = await read()
    if (!review) return false
    const isChanged = review.changes !== before?.changes || review.definition !== botDefinition(app)
    return isChanged || review.whole !== undefined || isChangingVerdicts(review)
  }
}

async function isForgetting({ storage: { registry }, lane }: LaneSource, app: string): Promise<boolean> {
  const [parts, expiring] = await Promise.all([registry.forgetParts.list(app), registry.retentionParts.list(app)])
  return [...parts, ...expiring].some((part) => part.lane === lane && part.step !== 'waiting' && part.step !== 'done')
}

/** Corrects what can be corrected if the lane is held; returns the number of corrections. */
async function settle(
  storage: Storage,
  held: LaneLease | undefined,
  drift: readonly Drift[],
  report: AuditReport,
): Promise<number> {
  const repaired = held ? drift.filter(isRepairable) : []
  if (held && repaired.length > 0) held.lease = await repair(storage, held.lease, repaired)
  for (const each of drift) report.drift(each, repaired.includes(each))
  return repaired.length
}

async function appsOf({ registry }: Storage, { app: id, organization }: AuditRequest): Promise<readonly App[]> {
  if (id === undefined) return registry.apps.list(organization)
  const app = await registry.app(id)
  if (!app) throw new HopperError('HOP_CONFIG', `There is no app ${JSON.stringify(id)}.`)
  return [app]
}

/** One more day on either side: dates of receipt are in UTC, the others in the app's time zone. */
async function datesOf(storage: Storage, app: App, { from, to }: AuditRequest): Promise<string[]> {
  const zone = timeZone(app.timezone)
  const [oldest, newest] =
    from === undefined || to === undefined ? await archivedTimes(storage, app) : [Date.now(), Date.now()]
  const first = from ?? shiftDate(zone.dateOf(Math.min(oldest, Date.now())), -1)
  const last = to ?? shiftDate(zone.dateOf(Math.max(newest, Date.now())), 1)
  return first > last ? [] : datesBetween(first, last)
}

/** Returns the times of the oldest and the newest archived event, reading one lane at a time. */
async function archivedTimes({ archive, log }: Storage, app: App): Promise<[oldest: number, newest: number]> {
  let [oldest, newest] = [Infinity, -Infinity]
  for (let lane = 0; archive && lane < log.lanes; lane++) {
    for (const { min_time, max_time } of await archive.list({
      app: app.id,
      lane,
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
    })) {
      oldest = Math.min(oldest, min_time)
      newest = Math.max(newest, max_time)
    }
  }
  return [oldest, newest]
}
