import { Type, type Static } from 'typebox'
import { App } from './app.ts'
import { limits } from './limits.ts'
import { funnelUnits } from './queries/funnel-query.ts'
import { shownName } from './texts/shown-name.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** Condition that an alert watches. A rule is of exactly one kind. */
export const alertKinds = ['fall', 'quiet', 'report'] as const
export type AlertKind = (typeof alertKinds)[number]

/** Defaults of a rule of kind `fall`. */
export const fallDefaults = {
  period: 'week',
  periods_before: 4,
  threshold: 0.01,
  sample_min: 100,
  window_ms: 24 * HOUR_MS,
  count_by: 'person',
} as const

/** A fall of the rate of a funnel beyond chance. */
export const FallRule = Type.Object({
  funnel: App.properties.id,
  period: Type.Optional(
    Type.Enum(['day', 'week'], {
      description:
        'what is compared: the latest settled day with the same weekday of the weeks before, or the latest settled ' +
        'week (from Monday on) with the weeks before; default: week',
    }),
  ),
  periods_before: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 8, description: 'number of earlier periods, counted one by one; default: 4' }),
  ),
  threshold: Type.Optional(
    Type.Number({
      minimum: 0.0001,
      maximum: 0.05,
      description: 'the alert fires when chance alone makes such a fall with at most this probability; default: 0.01',
    }),
  ),
  sample_min: Type.Optional(
    Type.Integer({
      minimum: 30,
      maximum: 1_000_000,
      description: 'below this number of starts, in the period or before it, nothing is claimed; default: 100',
    }),
  ),
  window_ms: Type.Optional(
    Type.Integer({
      minimum: MINUTE_MS,
      maximum: 30 * 24 * HOUR_MS,
      description:
        'time to go through the funnel; a period is settled when this time is over for its last start; default: a day',
    }),
  ),
  count_by: Type.Optional(Type.Enum([...funnelUnits])),
})
export type FallRule = Static<typeof FallRule>

/** No events for a while. */
export const QuietRule = Type.Object({
  minutes: Type.Integer({ minimum: 5, maximum: 10_080, description: 'without any event of the app' }),
  hours: Type.Optional(
    Type.Object(
      {
        from: Type.Integer({ minimum: 0, maximum: 23 }),
        to: Type.Integer({ minimum: 1, maximum: 24 }),
      },
      { description: 'hours of the day, in the time zone of the app: only minutes between them count; default: all' },
    ),
  ),
})
export type QuietRule = Static<typeof QuietRule>

/** A report of each week, on the Monday after it. */
export const ReportRule = Type.Object({
  hour: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 23, description: 'on Monday, in the time zone of the app; default: 8' }),
  ),
})
export type ReportRule = Static<typeof ReportRule>

const email = Type.String({
  maxLength: 254,
  pattern: '^[^\\s@<>",;:\\\\()\\[\\]]{1,64}@[A-Za-z0-9.-]{1,189}$',
  description: 'an e-mail address without a name',
})
/** a stored name, which may be older than the rule for names */
const name = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const rules = {
  fall: Type.Optional(FallRule),
  quiet: Type.Optional(QuietRule),
  report: Type.Optional(ReportRule),
}
const webhook = Type.Object({
  url: Type.String({
    minLength: 1,
    maxLength: limits.urlCharsMax,
    description: 'its origin is one that the operator allows: --alert-webhooks',
  }),
})
const recipients = Type.Object({ to: Type.Array(email, { minItems: 1, maxItems: limits.alertRecipientsMax }) })
const silence = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Null()], {
  description: 'nothing is sent before this instant (ms since the epoch); null: not silenced',
})

/** The body that creates an alert: one rule, and at least one way to send. */
export const NewAlert = Type.Object({
  name: shownName(),
  ...rules,
  webhook: Type.Optional(webhook),
  email: Type.Optional(recipients),
})
export type NewAlert = Static<typeof NewAlert>

export const AlertPatch = Type.Object(
  {
    name: Type.Optional(shownName()),
    ...rules,
    webhook: Type.Optional(Type.Union([webhook, Type.Null()])),
    email: Type.Optional(Type.Union([recipients, Type.Null()])),
    silenced_until: Type.Optional(silence),
    new_secret: Type.Optional(
      Type.Boolean({ description: 'true: later webhooks are signed with a new secret, which the answer shows once' }),
    ),
  },
  { 'x-fixed': { id: 'cannot be changed' } },
)
export type AlertPatch = Static<typeof AlertPatch>

/** An alert as stored. The secret of its webhook is not part of it: see `webhookSecretName`. */
export const Alert = Type.Object({
  ...NewAlert.properties,
  name,
  id: Type.String({ pattern: '^[0-9a-f]{1,64}$' }),
  app: App.properties.id,
  created_at: Type.Integer(),
  /** when its rule was changed last */
  changed_at: Type.Integer(),
  silenced_until: Type.Optional(Type.Integer()),
  /** the name of the member who silenced it, or `an admin key` */
  silenced_by: Type.Optional(Type.String()),
  /** incremented with each new secret */
  secret_number: Type.Integer({ minimum: 1 }),
})
export type Alert = Static<typeof Alert>

/** The name of the secret with which the webhooks of an alert are signed. */
export function webhookSecretName({ app, id, secret_number }: Pick<Alert, 'app' | 'id' | 'secret_number'>): string {
  return `webhook ${app} ${id} ${secret_number}`
}

/** Why a notification could not be delivered by a webhook or by e-mail. */
export const deliveryFaults = [
  'off',
  'address_not_allowed',
  'private_address',
  'unknown_host',
  'connection',
  'timeout',
  'redirect',
  'status',
  'gone',
  'mail_refused',
] as const
export type DeliveryFault = (typeof deliveryFaults)[number]

/** Subject of a notification. */
export const noticeKinds = ['fired', 'recovered', 'report', 'test'] as const
export type NoticeKind = (typeof noticeKinds)[number]

export const alertChannels = ['webhook', 'email'] as const
export type AlertChannel = (typeof alertChannels)[number]

export const Delivery = Type.Object({
  channel: Type.Enum([...alertChannels]),
  state: Type.Enum(['pending', 'delivered', 'failed'], {
    description: 'pending: it is tried (again) at `next_at`; failed: given up',
  }),
  attempts: Type.Integer(),
  next_at: Type.Optional(Type.Integer()),
  at: Type.Optional(Type.Integer({ description: 'the last attempt' })),
  fault: Type.Optional(Type.Enum([...deliveryFaults])),
  status: Type.Optional(Type.Integer({ description: 'of the answer to a webhook, or of SMTP' })),
})
export type Delivery = Static<typeof Delivery>

export const Notice = Type.Object({
  id: Type.String({ description: 'the same for every attempt, on every channel: what is repeated has the same id' }),
  kind: Type.Enum([...noticeKinds]),
  at: Type.Integer(),
  title: Type.String(),
  silenced: Type.Optional(Type.Boolean({ description: 'true: recorded, but not sent' })),
  deliveries: Type.Array(Delivery),
})
export type Notice = Static<typeof Notice>

/** Result of the last check of a rule. */
export const alertChecks = ['ok', 'firing', 'few', 'paused', 'behind', 'failed'] as const
export type AlertCheck = (typeof alertChecks)[number]

export const AlertState = Type.Object({
  check: Type.Enum([...alertChecks], {
    description:
      'ok; firing; few: the sample is too small for a claim; paused: outside of the hours of the rule; behind: ' +
      'events wait to be counted, so nothing is claimed; failed: the check itself failed',
  }),
  checked_at: Type.Integer(),
  detail: Type.Optional(Type.String({ description: 'one sentence about it' })),
  fired_at: Type.Optional(Type.Integer()),
  recovered_at: Type.Optional(Type.Integer()),
})
export type AlertState = Static<typeof AlertState>

/** An alert as callers see it. Addresses are shown to those who may change it. */
export const AlertView = Type.Object({
  id: Type.String(),
  name,
  ...rules,
  webhook: Type.Optional(
    Type.Object({
      url: Type.Optional(Type.String({ description: 'only for admins: it often contains a secret' })),
      origin: Type.String(),
    }),
  ),
  email: Type.Optional(
    Type.Object({
      to: Type.Optional(Type.Array(Type.String(), { description: 'only for admins' })),
      recipients: Type.Integer(),
    }),
  ),
  silenced_until: silence,
  silenced_by: Type.Optional(Type.String({ description: 'the member, or `an admin key`' })),
  created_at: Type.Integer(),
  state: Type.Optional(AlertState),
  notices: Type.Array(Notice, { description: 'the last ones and the last tests, the newest first' }),
})
export type AlertView = Static<typeof AlertView>

export const Alerts = Type.Object({
  alerts: Type.Array(AlertView),
  channels: Type.Object(
    {
      webhook_origins: Type.Array(Type.String()),
      email: Type.Boolean(),
    },
    { description: 'what the operator allows' },
  ),
})
export type Alerts = Static<typeof Alerts>

export const ChangedAlert = Type.Object({
  ...AlertView.properties,
  webhook_secret: Type.Optional(
    Type.String({ description: 'signs the webhooks of this alert; shown only once, when it is new' }),
  ),
})
export type ChangedAlert = Static<typeof ChangedAlert>

export const TestedAlert = Type.Object({ notice: Notice })
export type TestedAlert = Static<typeof TestedAlert>
