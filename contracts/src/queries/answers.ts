import { Type, type Static, type TObject, type TProperties } from 'typebox'
import { RetentionDays } from '../app.ts'

/**
 * Responses of the dashboard API. The TS type, the OpenAPI schema and the CSV columns all derive from one value.
 */
const text = Type.String()
const whole = Type.Integer()
/** a share or an average; null if there is nothing to divide by */
const maybe = Type.Union([Type.Number(), Type.Null()])

const CompleteTo = Type.Union([whole, Type.Null()], {
  description:
    'every event of the app that was received before this instant (ms) is counted; null if no such instant is known: ' +
    'the log is unavailable, and no process has recorded one before',
})

export const Meta = Type.Object({
  from: text,
  to: text,
  timezone: text,
  complete_to: CompleteTo,
  settled: Type.Boolean({
    description:
      'true when every date of the range ended more than 7 days ago and no event that has arrived waits ' +
      'to be counted: only one that comes yet can change it',
  }),
  kept_from: Type.Optional(
    Type.String({
      description:
        'the date from which the app keeps its events: whatever is older has expired, and earlier dates of the range ' +
        'are empty; missing when nothing has expired',
    }),
  ),
  truncated: Type.Optional(
    Type.Boolean({
      description: 'something is left out or folded into `other`: there is more than the answer may hold',
    }),
  ),
})
export type Meta = Static<typeof Meta>

/** A result that may be incomplete or partly folded into `other`; the API reports this in `meta`. */
export type Truncatable<T> = T & { readonly truncated?: true }

const answer = <T extends TProperties>(properties: T): TObject<T & { meta: typeof Meta }> =>
  Type.Object({ ...properties, meta: Meta })

export const StageUsers = answer({
  rows: Type.Array(Type.Object({ date: text, stage: whole, name: text, users: whole })),
})
export const StageConversion = answer({
  total_users: whole,
  rows: Type.Array(Type.Object({ stage: whole, name: text, users: whole, rate: maybe })),
})
export const StageTime = answer({
  rows: Type.Array(Type.Object({ stage: whole, name: text, elapsed_ms: whole, hits: whole, average_seconds: maybe })),
})
/** `from` is null for people who entered the funnel without having been in another stage. */
export const StageGraph = answer({ rows: Type.Array(Type.Object({ from: maybe, to: whole, users: whole })) })
export const ElementActions = answer({
  rows: Type.Array(
    Type.Object({
      xpath: text,
      name: text,
      hover_leave: whole,
      elapsed_leave_ms: whole,
      hover_click: whole,
      elapsed_click_ms: whole,
      hits: whole,
      leave_percent: maybe,
      click_percent: maybe,
      average_leave_ms: maybe,
      average_click_ms: maybe,
    }),
  ),
})
/** `correlation` is null when one of the actions is missing or the durations have no variance. */
export const ElementDurations = answer({
  buckets: Type.Array(Type.Object({ from_ms: whole, to_ms: whole, leave: whole, click: whole })),
  correlation: maybe,
})
/** Elements that are not clicked any more, each with a target that has appeared in their place. */
export const ElementTwins = answer({
  twins: Type.Array(
    Type.Object({
      xpath: text,
      name: text,
      last_clicked: Type.String({ description: 'date of the last click on the element' }),
      twin: Type.String({ description: 'XPath of the target that may be the same element' }),
      appeared: Type.String({ description: 'date of the first click on it' }),
      hits: whole,
    }),
  ),
})
/** `average_seconds` is the mean time on the page over the visits whose end was recorded. */
export const PageViews = answer({ rows: Type.Array(Type.Object({ url: text, views: whole, average_seconds: maybe })) })
export const Clicks = answer({
  rows: Type.Array(Type.Object({ url: text, target: text, hits: whole, average_ms: maybe })),
})
export const Agents = answer({
  total_users: whole,
  rows: Type.Array(Type.Object({ value: text, users: whole, share: maybe })),
})
/** `time` is the ISO 8601 start of the hour or the date. */
export const Traffic = answer({
  rows: Type.Array(Type.Object({ time: text, events: whole, views: whole, users: whole })),
})

export type StageUsers = Static<typeof StageUsers>
export type StageConversion = Static<typeof StageConversion>
export type StageTime = Static<typeof StageTime>
export type StageGraph = Static<typeof StageGraph>
export type ElementActions = Static<typeof ElementActions>
export type ElementTwins = Static<typeof ElementTwins>
export type ElementDurations = Static<typeof ElementDurations>
export type PageViews = Static<typeof PageViews>
export type Clicks = Static<typeof Clicks>
export type Agents = Static<typeof Agents>
export type Traffic = Static<typeof Traffic>

/** The result of a `hopper audit` of one app or all apps, over the requested dates. */
export const AuditResult = Type.Object({
  finished_at: whole,
  app: Type.Optional(text),
  from: Type.Optional(text),
  to: Type.Optional(text),
  differing: Type.Integer({ description: 'rows of tables that differed from a recount' }),
  repaired: Type.Integer({ description: 'how many of them were corrected' }),
  partitions: Type.Optional(
    Type.Integer({ description: 'tables of an app, a date and a lane that were compared; missing in old results' }),
  ),
  differing_partitions: Type.Optional(Type.Integer({ description: 'how many of them differed' })),
})
export type AuditResult = Static<typeof AuditResult>

/** `GET /api/v1/status`. */
export const Status = Type.Object({
  version: text,
  mode: Type.Union([Type.Literal('standalone'), Type.Literal('cluster')]),
  started_at: whole,
  complete_to: CompleteTo,
  events_per_second: Type.Number({
    description: 'events counted per second over the last minute, whatever their fate',
  }),
  lag: Type.Object({
    messages: Type.Integer({ description: 'messages of the log that are not counted yet' }),
    events: Type.Integer({ description: 'about how many events these hold' }),
    seconds: Type.Union([Type.Number(), Type.Null()], {
      description: 'how long ago the instant is up to which everything received is counted; null if none is known',
    }),
    remaining_seconds: Type.Union([Type.Number(), Type.Null()], {
      description: 'in about how long they are counted; null while nothing is',
    }),
  }),
  fates: Type.Array(Type.Object({ fate: text, reason: text, events: whole })),
  lanes: Type.Array(
    Type.Object({
      lane: whole,
      next: whole,
      done: whole,
      lag: whole,
      lost: Type.Optional(
        Type.Object(
          { first: whole, next: whole },
          {
            description:
              'positions that the log has lost: the lane is stalled until the log is restored, ' +
              'or an aggregator is started with --accept-loss',
          },
        ),
      ),
    }),
  ),
  dead_letters: whole,
  engines: Type.Array(Type.Object({ name: text, healthy: Type.Boolean(), detail: Type.Optional(text) })),
  last_audit: Type.Optional(AuditResult),
  accepted_losses: Type.Optional(
    Type.Array(Type.Object({ lane: whole, first: whole, next: whole, is_cut: Type.Boolean(), accepted_at: whole }), {
      description:
        'positions of the log of a cluster that are gone, and that somebody has accepted as gone; ' +
        'is_cut: they were counted before',
    }),
  ),
})
export type Status = Static<typeof Status>

/** `POST /api/v1/me`: the logged-in member and the organization it can see. */
export const Me = Type.Object({
  member: Type.Object({
    id: text,
    name: text,
    role: Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('viewer')]),
    has_password: Type.Boolean({ description: 'false for a member who has logged in by links only' }),
    email: Type.Optional(Type.String({ description: 'the verified address that an OpenID provider lets in' })),
  }),
  organization: Type.Object({ id: text, name: text }),
  csrf: Type.String({ description: 'send it back as the header X-Hopper-Csrf with every call that changes something' }),
  ingest_url: Type.Optional(
    Type.String({ description: 'where sites load the tracker from, when that is not the origin of the dashboard' }),
  ),
  provider_login: Type.Optional(
    Type.Object(
      { name: text, email: text },
      { description: 'the OpenID provider by which you can log in, and the e-mail address that you were found by' },
    ),
  ),
})
export type Me = Static<typeof Me>

/** `GET /api/v1/login`: what the login page offers besides name and password. */
export const LoginWays = Type.Object({
  provider: Type.Optional(
    Type.Object({ name: text }, { description: 'an OpenID provider: GET /login/oidc leads a browser to it' }),
  ),
})
export type LoginWays = Static<typeof LoginWays>

/** `POST /api/v1/logout`, of a login by an OpenID provider. */
export const LoggedOut = Type.Object({
  provider_logout_url: Type.String({
    description: 'address of the provider at which a browser ends its session there, too',
  }),
})
export type LoggedOut = Static<typeof LoggedOut>

/** `GET /api/v1/apps`. */
export const Apps = Type.Object({
  apps: Type.Array(
    Type.Object({
      id: text,
      name: text,
      timezone: text,
      organization: text,
      retention_days: RetentionDays,
      kept_from: Type.Optional(text),
    }),
  ),
})
export type Apps = Static<typeof Apps>
