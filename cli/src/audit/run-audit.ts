import { datesBetween, HopperError, shiftDate, timeZone, type App } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { auditDates } from './audit-dates.ts'
import { auditFates, countReceived, type Received } from './audit-fates.ts'
import type { Drift } from './drift.ts'
import { HeldLane } from './held-lane.ts'
import { LaneSource } from './lane-source.ts'
import { isRepairable, repair } from './repair.ts'

/** What is to be audited. */
export interface AuditRequest {
  /** one app, or all */
  readonly app?: string | undefined
  /** dates, both included; by default all that the archive has, up to today */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly repair?: boolean | undefined
  /** false: the log is not read for the fates that only it knows */
  readonly log?: boolean | undefined
}

/** What is told as soon as it is known. */
export interface AuditReport {
  drift(drift: Drift, repaired: boolean): void
  /** the log of a lane has lost its beginning, so duplicates and refused events are not compared there */
  logIncomplete(lane: number): void
  progress(lane: number, lanes: number): void
}

/**
 * Recounts apps from the archive, and from the log what is not archived yet, and compares every table of counters and of visitors. Memory is bounded by some
 * dates of one lane. With `repair` each lane is taken from its owner while it is corrected.
 */
export async function runAudit(storage: Storage, request: AuditRequest, report: AuditReport): Promise<void> {
  const apps = await appsOf(storage, request.app)
  const known = new Map((await storage.registry.apps.list()).map((app) => [app.id, app]))
  for (let lane = 0; lane < storage.log.lanes; lane++) {
    report.progress(lane, storage.log.lanes)
    await using held = request.repair ? await HeldLane.take(storage.lanes, lane, `audit-${process.pid}`) : undefined
    const source = new LaneSource(storage, lane, async (id) => known.get(id))
    const received = request.log === false ? undefined : await countReceived(source)
    if (!received && request.log !== false) report.logIncomplete(lane)
    for (const app of apps) {
      for await (const drift of auditLane(source, app, await datesOf(storage, app, request), received)) await settle(storage, held, drift, report)
    }
  }
}

async function* auditLane(source: LaneSource, app: App, dates: readonly string[], received: Received | undefined): AsyncGenerator<readonly Drift[]> {
  if (dates.length === 0) return
  yield* auditDates(source, app, dates)
  yield await auditFates(source, app, dates, received)
}

async function settle(storage: Storage, held: HeldLane | undefined, drift: readonly Drift[], report: AuditReport): Promise<void> {
  const repaired = held ? drift.filter(isRepairable) : []
  if (held && repaired.length > 0) held.lease = await repair(storage, held.lease, repaired)
  for (const each of drift) report.drift(each, repaired.includes(each))
}

async function appsOf({ registry }: Storage, id: string | undefined): Promise<readonly App[]> {
  if (id === undefined) return registry.apps.list()
  const app = await registry.app(id)
  if (!app) throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(id)}.`)
  return [app]
}

/** A day more on either side: the dates of receipt are those of UTC, the others those of the app. */
async function datesOf(storage: Storage, app: App, { from, to }: AuditRequest): Promise<string[]> {
  const zone = timeZone(app.timezone)
  const chunks = from === undefined || to === undefined ? ((await storage.archive?.list({ app: app.id, from: 0, to: Number.MAX_SAFE_INTEGER })) ?? []) : []
  const first = from ?? shiftDate(zone.dateOf(chunks.reduce((least, { min_time }) => Math.min(least, min_time), Date.now())), -1)
  const last = to ?? shiftDate(zone.dateOf(chunks.reduce((most, { max_time }) => Math.max(most, max_time), Date.now())), 1)
  return first > last ? [] : datesBetween(first, last)
}
