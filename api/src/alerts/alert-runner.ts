import { randomUUID } from 'node:crypto'
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { HopperError, type Alert, type App, type Delivery } from '@hopper/contracts'
import type { AlertRecord, Registry, StoredNotice } from '@hopper/storage'
import type { Logger } from 'pino'
import { Counter, type Registry as Metrics } from 'prom-client'
import { CLOCK, LOGGER, METRICS, REGISTRY, type Clock } from '../tokens.ts'
import { AlertChecks, NEVER } from './alert-checks.ts'
import { afterAttempt, afterCheck, decidedFor, hasDue, withDelivery } from './alert-record.ts'
import { AlertSender } from './alert-sender.ts'
import type { CheckResult } from './check.ts'

/** Longer than a check and the attempts after it may take. */
const CLAIM_MS = 180_000
const CHECK_MS_MAX = 60_000
/** No attempt begins with less time left of the claim than an attempt may take. */
const ATTEMPT_MS_MAX = 40_000
/** Alerts of different apps that are checked at the same time. */
const CONCURRENCY = 3
/** Less than the interval of a minute, so that in every minute one process checks. */
const QUIET_INTERVAL_MS = 45_000
/** Pause of the first run after the start. */
const FIRST_MS = 5_000
const FAILED_PAUSE_MS = 10 * 60_000
const LOG_INTERVAL_MS = 3_600_000

/** The claim of this process on an alert. */
interface Claimed {
  readonly app: App
  readonly alert: Alert
  /** by `performance.now()` */
  readonly endsAt: number
}

/**
 * Checks all alerts of an installation and sends what is due. Every process does so; a claim on the alert leaves each
 * to one of them at a time. A notice is stored before it is sent, so that if the process ends in between, it or another
 * process sends the notice later, under the same id.
 */
@Injectable()
export class AlertRunner implements OnModuleDestroy {
  private readonly registry: Registry
  private readonly checks: AlertChecks
  private readonly sender: AlertSender
  private readonly clock: Clock
  private readonly logger: Logger
  private readonly counted: Counter<'check'>
  private readonly holder = randomUUID()
  private readonly closing = new AbortController()
  /** when an alert whose check failed is checked again, by the clock */
  private readonly paused = new Map<string, number>()
  private first: NodeJS.Timeout | undefined
  private timer: NodeJS.Timeout | undefined
  private running: Promise<void> | undefined
  private loggedAt = -Infinity

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(AlertChecks) checks: AlertChecks,
    @Inject(AlertSender) sender: AlertSender,
    @Inject(CLOCK) clock: Clock,
    @Inject(LOGGER) logger: Logger,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.registry = registry
    this.checks = checks
    this.sender = sender
    this.clock = clock
    this.logger = logger
    this.counted = new Counter({
      name: 'hopper_alert_checks_total',
      help: 'Checks of alerts, by their result',
      labelNames: ['check'],
      registers: [metrics],
    })
  }

  /** Checks all alerts again and again, until the API is closed. */
  start(everyMs: number): void {
    const run = (): void => void this.runAll().catch((error: unknown) => this.warn(error))
    // notices that an earlier process left unsent are sent soon
    this.first = setTimeout(run, Math.min(FIRST_MS, everyMs)).unref()
    this.timer = setInterval(run, everyMs).unref()
  }

  async onModuleDestroy(): Promise<void> {
    clearTimeout(this.first)
    clearInterval(this.timer)
    this.closing.abort()
    await this.running?.catch(() => undefined)
  }

  /** Checks every alert that is due once, and sends what is due. One run at a time: a second call joins the first. */
  runAll(): Promise<void> {
    this.running ??= this.run().finally(() => (this.running = undefined))
    return this.running
  }

  private async run(): Promise<void> {
    const byApp = [...Map.groupBy(await this.registry.alerts.list(), ({ app }) => app)]
    const next = async (): Promise<void> => {
      for (let each = byApp.pop(); each && !this.closing.signal.aborted; each = byApp.pop()) {
        const app = await this.registry.app(each[0])
        if (app) for (const alert of each[1]) await this.runOne(app, alert).catch((error: unknown) => this.warn(error))
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, next))
  }

  /** Returns whether there is something to do, before a claim is made, and again with it. */
  private async isDue(app: App, alert: Alert, record: AlertRecord): Promise<boolean> {
    return hasDue(record, this.clock()) || this.isCheckDue(app, alert, record)
  }

  private async isCheckDue(app: App, alert: Alert, record: AlertRecord): Promise<boolean> {
    const now = this.clock()
    if ((this.paused.get(alert.id) ?? -Infinity) > now) return false
    if (alert.quiet) return now - (record.state?.checked_at ?? -Infinity) >= QUIET_INTERVAL_MS
    const period = this.checks.periodOf(app, alert, await this.checks.timeOf(app, now))
    return period !== NEVER && (period === undefined || record.decided !== decidedFor(alert, period))
  }

  private async runOne(app: App, listed: Alert): Promise<void> {
    const { alertRecords, alerts, claims } = this.registry
    const key = [app.id, listed.id] as const
    if (!(await this.isDue(app, listed, (await alertRecords.get(...key)) ?? emptyRecord(listed)))) return
    const claim = `alert ${app.id} ${listed.id}`
    const endsAt = performance.now() + CLAIM_MS
    if (!(await claims.claim(claim, this.holder, CLAIM_MS))) return
    try {
      // the record as other processes have left it
      const alert = await alerts.get(...key)
      if (!alert) return
      let record = (await alertRecords.get(...key)) ?? emptyRecord(alert)
      if (await this.isCheckDue(app, alert, record)) {
        record = await this.checked(app, alert, record)
        await alertRecords.put(...key, record)
      }
      await this.deliver({ app, alert, endsAt }, record)
    } finally {
      await claims.release(claim, this.holder)
    }
  }

  private async checked(app: App, alert: Alert, record: AlertRecord): Promise<AlertRecord> {
    const now = this.clock()
    const result = await this.check(app, alert, now)
    this.counted.inc({ check: result.check })
    return afterCheck(alert, record, result, now, (...notice) => this.sender.write(app, alert, ...notice))
  }

  private async check(app: App, alert: Alert, now: number): Promise<CheckResult> {
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(CHECK_MS_MAX)])
    try {
      const result = await this.checks.check(app, alert, await this.checks.timeOf(app, now), signal)
      this.paused.delete(alert.id)
      return result
    } catch (error) {
      if (this.closing.signal.aborted) throw error
      this.paused.set(alert.id, now + FAILED_PAUSE_MS)
      this.warn(error)
      const reason = error instanceof HopperError ? error.message : 'The check took too long or failed.'
      return { check: 'failed', detail: reason }
    }
  }

  /** Sends what is due, and stores each outcome before the next attempt. */
  private async deliver({ app, alert, endsAt }: Claimed, given: AlertRecord): Promise<void> {
    let record = given
    for (const notice of given.notices)
      for (const delivery of notice.deliveries) {
        if (delivery.state !== 'pending' || (delivery.next_at ?? 0) > this.clock()) continue
        if (performance.now() > endsAt - ATTEMPT_MS_MAX || this.closing.signal.aborted) return
        const after = await this.attempt(alert, notice, delivery)
        if (!after) return
        record = withDelivery(record, notice.id, after)
        await this.registry.alertRecords.put(app.id, alert.id, record)
      }
  }

  /** Returns undefined for an attempt that was cut short because the process ends: the next one makes it again. */
  private async attempt(alert: Alert, notice: StoredNotice, delivery: Delivery): Promise<Delivery | undefined> {
    const { signal } = this.closing
    const outcome = await this.sender.send(alert, delivery.channel, notice, signal)
    if (!outcome.isDelivered && signal.aborted) return undefined
    if (!outcome.isDelivered) this.warn(new Error(`${delivery.channel}: ${outcome.fault}`))
    return afterAttempt(delivery, outcome, this.clock(), Math.random())
  }

  /** Logs at most once an hour: the list of alerts and the metrics have every failure. */
  private warn(error: unknown): void {
    const now = this.clock()
    if (this.closing.signal.aborted || now - this.loggedAt < LOG_INTERVAL_MS) return
    this.loggedAt = now
    this.logger.warn({ err: error }, 'an alert could not be checked or sent; further ones are not logged for an hour')
  }
}

/** The record of an alert that was never checked. */
export function emptyRecord({ id }: Pick<Alert, 'id'>): AlertRecord {
  return { id, notices: [] }
}
