import { randomBytes } from 'node:crypto'
import { Inject, Injectable } from '@nestjs/common'
import {
  HopperError,
  alertKinds,
  limits,
  type Alert,
  type AlertKind,
  type AlertPatch,
  type AlertView,
  type Alerts,
  type App,
  type ChangedAlert,
  type NewAlert,
  type Notice,
} from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { roleOf, type Caller } from '../../access/caller.ts'
import { nameOfCaller } from '../../access/name-of-caller.ts'
import { afterAttempt, channelsOf, newNotice, viewOfNotice } from '../../alerts/alert-record.ts'
import { emptyRecord } from '../../alerts/alert-runner.ts'
import { AlertSender } from '../../alerts/alert-sender.ts'
import { allowedUrl } from '../../alerts/webhook-address.ts'
import { invalidFields } from '../../http/checked.ts'
import type { Fault } from '../../http/faults.ts'
import { CLOCK, REGISTRY, type Clock } from '../../tokens.ts'
import { FunnelsService } from './funnels.service.ts'

const ID_BYTES = 8
const TEST_INTERVAL_MS = 5_000
/** maximum number of tests of an alert that are stored */
const TESTS_MAX = 5
/** ids of alerts whose last test is remembered */
const TESTED_MAX = 1_000
const MINUTES_PER_HOUR = 60

/** The alerts of an app: their rules, and what became of them. */
@Injectable()
export class AlertsService {
  private readonly registry: Registry
  private readonly funnels: FunnelsService
  private readonly sender: AlertSender
  private readonly clock: Clock
  /** when an alert was tested last */
  private readonly tested = new Map<string, number>()

  constructor(
    @Inject(REGISTRY) registry: Registry,
    @Inject(FunnelsService) funnels: FunnelsService,
    @Inject(AlertSender) sender: AlertSender,
    @Inject(CLOCK) clock: Clock,
  ) {
    this.registry = registry
    this.funnels = funnels
    this.sender = sender
    this.clock = clock
  }

  async list(app: App, caller: Caller): Promise<Alerts> {
    const alerts = [...(await this.registry.alerts.list(app.id))].sort((a, b) => a.created_at - b.created_at)
    const { webhookOrigins, mail } = this.sender.options
    return {
      alerts: await Promise.all(alerts.map((alert) => this.viewOf(alert, caller))),
      channels: { webhook_origins: [...webhookOrigins], email: mail !== undefined },
    }
  }

  async one(app: App, id: string, caller: Caller): Promise<AlertView> {
    return this.viewOf(await this.get(app, id), caller)
  }

  async create(app: App, sent: NewAlert, caller: Caller): Promise<ChangedAlert> {
    if ((await this.registry.alerts.list(app.id)).length >= limits.alertsPerAppMax)
      throw new HopperError('HOP_LIMIT', undefined, { details: { alerts_max: limits.alertsPerAppMax } })
    const now = this.clock()
    const id = randomBytes(ID_BYTES).toString('hex')
    const alert: Alert = { ...sent, id, app: app.id, created_at: now, changed_at: now, secret_number: 1 }
    await this.check(app, alert)
    await this.registry.alerts.put(app.id, id, alert)
    return { ...(await this.viewOf(alert, caller)), ...(sent.webhook ? await this.secretOf(alert) : {}) }
  }

  /** Changes an alert, but not its kind: its earlier notices are about that kind. */
  async change(app: App, id: string, patch: AlertPatch, caller: Caller): Promise<ChangedAlert> {
    const before = await this.get(app, id)
    const { webhook, email, silenced_until, new_secret, ...rest } = patch
    const by = await nameOfCaller(this.registry, caller)
    const other = kindsOf(rest).find((kind) => before[kind] === undefined)
    if (other) throw invalidFields([{ field: other, message: 'is another kind of rule; create another alert for it' }])
    const { webhook: url, email: to, silenced_until: silenced, silenced_by: silencer, ...kept } = before
    const alert: Alert = {
      ...kept,
      ...rest,
      ...given('webhook', webhook === undefined ? url : webhook),
      ...given('email', email === undefined ? to : email),
      ...(silenced_until === undefined
        ? { ...given('silenced_until', silenced), ...given('silenced_by', silencer) }
        : silenced_until !== null && { silenced_until, silenced_by: by }),
      ...(kindsOf(rest).length > 0 ? { changed_at: this.clock() } : {}),
      secret_number: before.secret_number + (new_secret ? 1 : 0),
    }
    await this.check(app, alert, before)
    await this.registry.alerts.put(app.id, id, alert)
    const isSecretNew = alert.webhook && (new_secret === true || !before.webhook)
    return { ...(await this.viewOf(alert, caller)), ...(isSecretNew ? await this.secretOf(alert) : {}) }
  }

  async remove(app: App, id: string): Promise<void> {
    if (!(await this.registry.alerts.remove(app.id, id))) throw new HopperError('HOP_ALERT_UNKNOWN')
    await this.registry.alertRecords.remove(app.id, id)
    await this.registry.alertTests.remove(app.id, id)
  }

  /** Sends a notice on every channel now, and stores and returns it with the outcome of each delivery. */
  async test(app: App, id: string): Promise<Notice> {
    const alert = await this.get(app, id)
    const now = this.clock()
    const waitMs = (this.tested.get(id) ?? -Infinity) + TEST_INTERVAL_MS - now
    if (waitMs > 0)
      throw new HopperError('HOP_RATE', 'This alert was tested just now.', {
        details: { retry_after_seconds: Math.ceil(waitMs / 1_000) },
      })
    if (this.tested.size >= TESTED_MAX) this.tested.clear()
    this.tested.set(id, now)
    const message = {
      title: `Test of “${alert.name}”`,
      lines: [`This is a test of the alert “${alert.name}” of ${app.name}. Nothing has happened.`],
      details: {},
      page: 'alerts',
    }
    const notice = newNotice(alert, 'test', `${id}-test-${now}`, message, now, (...parts) =>
      this.sender.write(app, alert, ...parts),
    )
    const attempts = notice.deliveries.map(async (delivery) => {
      const outcome = await this.sender.send(alert, delivery.channel, notice)
      return afterAttempt(delivery, outcome.isDelivered ? outcome : { ...outcome, isFinal: true }, this.clock(), 0)
    })
    const tested = { ...viewOfNotice(notice), deliveries: await Promise.all(attempts) }
    const earlier = (await this.registry.alertTests.get(app.id, id))?.notices ?? []
    await this.registry.alertTests.put(app.id, id, { id, notices: [tested, ...earlier].slice(0, TESTS_MAX) })
    return tested
  }

  private async get(app: App, id: string): Promise<Alert> {
    const alert = await this.registry.alerts.get(app.id, id)
    if (!alert) throw new HopperError('HOP_ALERT_UNKNOWN')
    return alert
  }

  /** @throws HopperError HOP_PARAM_INVALID, HOP_FUNNEL_UNKNOWN */
  private async check(app: App, alert: Alert, before?: Alert): Promise<void> {
    const faults = [...faultsOfRule(alert), ...this.faultsOfChannels(alert, before)]
    if (faults.length > 0) throw invalidFields(faults)
    if (alert.fall && alert.fall.funnel !== before?.fall?.funnel) await this.funnels.get(app, alert.fall.funnel)
  }

  /** A channel that the operator has switched off since may stay, so that the rest can be changed. */
  private faultsOfChannels(alert: Alert, before?: Alert): Fault[] {
    const { webhookOrigins, mail } = this.sender.options
    const { webhook, email } = alert
    const faults: Fault[] = []
    if (channelsOf(alert).length === 0) faults.push({ field: 'webhook', message: 'or `email` is needed' })
    if (webhook && webhook.url !== before?.webhook?.url && !allowedUrl(webhook.url, webhookOrigins)) {
      const allowed = webhookOrigins.length > 0 ? `allows ${webhookOrigins.join(', ')}` : 'allows none'
      faults.push({ field: 'webhook.url', message: `is not of an origin that the operator allows; it ${allowed}` })
    }
    if (email && !before?.email && !mail)
      faults.push({ field: 'email', message: 'cannot be sent: the operator has set no SMTP server' })
    return faults
  }

  private async secretOf(alert: Alert): Promise<{ webhook_secret: string }> {
    return { webhook_secret: await this.sender.secretText(alert) }
  }

  private async viewOf(alert: Alert, caller: Caller): Promise<AlertView> {
    const { id, name, fall, quiet, report, webhook, email, silenced_until = null, silenced_by, created_at } = alert
    const [record = emptyRecord(alert), tests] = await Promise.all([
      this.registry.alertRecords.get(alert.app, id),
      this.registry.alertTests.get(alert.app, id),
    ])
    const notices = [...record.notices, ...(tests?.notices ?? [])].sort((a, b) => b.at - a.at)
    const role = roleOf(caller)
    const isAdmin = role === 'owner' || role === 'admin'
    const origin = webhook && URL.canParse(webhook.url) ? new URL(webhook.url).origin : ''
    return {
      id,
      name,
      ...(fall ? { fall } : {}),
      ...(quiet ? { quiet } : {}),
      ...(report ? { report } : {}),
      ...(webhook ? { webhook: { origin, ...(isAdmin ? { url: webhook.url } : {}) } } : {}),
      ...(email ? { email: { recipients: email.to.length, ...(isAdmin ? { to: email.to } : {}) } } : {}),
      silenced_until,
      ...(silenced_by === undefined ? {} : { silenced_by }),
      created_at,
      ...(record.state ? { state: record.state } : {}),
      notices: notices.map(viewOfNotice),
    }
  }
}

function given<K extends string, V>(name: K, value: V | null | undefined): { [N in K]?: V } {
  return (value === null || value === undefined ? {} : { [name]: value }) as { [N in K]?: V }
}

function kindsOf(rule: { [K in AlertKind]?: unknown }): AlertKind[] {
  return alertKinds.filter((kind) => rule[kind] !== undefined)
}

function faultsOfRule(alert: Alert): Fault[] {
  const kinds = kindsOf(alert)
  if (kinds.length !== 1) {
    const message = `is one of ${alertKinds.join(', ')}, of which an alert has exactly one`
    return [{ field: kinds[1] ?? 'fall', message }]
  }
  const { hours, minutes = 0 } = alert.quiet ?? {}
  if (!hours) return []
  if (hours.from >= hours.to) return [{ field: 'quiet.hours.to', message: 'must be after `from`' }]
  if (minutes > (hours.to - hours.from) * MINUTES_PER_HOUR)
    return [{ field: 'quiet.minutes', message: 'must fit between the hours' }]
  return []
}
