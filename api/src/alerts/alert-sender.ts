import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common'
import { webhookSecretName, type Alert, type AlertChannel, type App, type NoticeKind } from '@hopper/contracts'
import type { Secrets } from '@hopper/storage'
import { Counter, type Registry as Metrics } from 'prom-client'
import type { AlertOptions } from '../options.ts'
import { ALERT_OPTIONS, CLOCK, METRICS, PUBLIC_URL, SECRETS, type Clock } from '../tokens.ts'
import type { Message } from './check.ts'
import { Mailer } from './mail.ts'
import { WEBHOOK_MS_MAX, sendWebhook, webhookSecretText, type Outcome } from './webhook.ts'

/** A notice as it is sent. */
export interface Sendable {
  readonly id: string
  readonly title: string
  readonly text?: string
  readonly body?: string
}

/** Writes notices and sends them by webhook and e-mail. */
@Injectable()
export class AlertSender implements OnModuleDestroy {
  readonly options: AlertOptions
  private readonly secrets: Secrets
  private readonly publicUrl: string
  private readonly clock: Clock
  private readonly mailer: Mailer | undefined
  private readonly attempts: Counter<'channel' | 'outcome'>

  constructor(
    @Inject(ALERT_OPTIONS) options: AlertOptions,
    @Inject(SECRETS) secrets: Secrets,
    @Inject(PUBLIC_URL) publicUrl: string,
    @Inject(CLOCK) clock: Clock,
    @Inject(METRICS) metrics: Metrics,
  ) {
    this.options = options
    this.secrets = secrets
    this.publicUrl = publicUrl
    this.clock = clock
    this.mailer = options.mail && new Mailer(options.mail)
    this.attempts = new Counter({
      name: 'hopper_alert_deliveries_total',
      help: 'Attempts to deliver a notice of an alert, by channel and outcome',
      labelNames: ['channel', 'outcome'],
      registers: [metrics],
    })
  }

  onModuleDestroy(): void {
    this.mailer?.close()
  }

  /** The secret that signs the webhooks of an alert, as its receiver needs it. */
  async secretText(alert: Alert): Promise<string> {
    return webhookSecretText(await this.secrets.secret(webhookSecretName(alert)))
  }

  /** Writes a message as text, and as the body of a webhook. */
  write(app: App, alert: Alert, kind: NoticeKind, id: string, message: Message): { text: string; body: string } {
    const url = `${this.publicUrl}/a/${encodeURIComponent(app.id)}/${message.page}`
    const text = [...message.lines, '', url, '', `From the alert “${alert.name}” of Hopper.`].join('\n')
    const { name } = alert
    const data = { id, app: app.id, alert: { id: alert.id, name }, title: message.title, text, url, ...message.details }
    const timestamp = new Date(this.clock()).toISOString()
    return { text, body: JSON.stringify({ type: `alert.${kind}`, timestamp, data }) }
  }

  /** Makes one attempt on a channel. Never throws for a receiver that does not take it. */
  async send(alert: Alert, channel: AlertChannel, notice: Sendable, signal?: AbortSignal): Promise<Outcome> {
    const send = channel === 'webhook' ? this.webhook(alert, notice, signal) : this.mail(alert, notice, signal)
    const outcome = await send
    this.attempts.inc({ channel, outcome: outcome.isDelivered ? 'delivered' : outcome.fault })
    return outcome
  }

  private async webhook(alert: Alert, { id, body = '{}' }: Sendable, signal?: AbortSignal): Promise<Outcome> {
    if (!alert.webhook) return OFF
    const secret = await this.secrets.secret(webhookSecretName(alert))
    const ends = AbortSignal.any([AbortSignal.timeout(WEBHOOK_MS_MAX), ...(signal ? [signal] : [])])
    return sendWebhook(alert.webhook.url, { id, body, at: this.clock() }, secret, this.options, ends)
  }

  private async mail({ email }: Alert, { id, title, text = '' }: Sendable, signal?: AbortSignal): Promise<Outcome> {
    return email && this.mailer ? this.mailer.send({ id, to: email.to, subject: title, text }, signal) : OFF
  }
}

/** The alert or the operator no longer has this channel. */
const OFF: Outcome = { isDelivered: false, fault: 'off', isFinal: true }
