import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'
import { changeReasons, type ChangeReason } from './changes.ts'
import { botReasons } from './fate.ts'
import { limits } from '../limits.ts'

/** The kinds of events by their wire number (docs/events.md). A wire event may name its type either way. */
export const eventTypes = ['custom', 'click', 'url_change', 'btn_time', 'funnel_change', 'identify'] as const
export type EventType = (typeof eventTypes)[number]

const id = Type.String({ minLength: 1, maxLength: limits.idCharsMax })
const userId = Type.String({ minLength: 1, maxLength: limits.userIdCharsMax })
const url = Type.String({ maxLength: limits.urlCharsMax })
const xpath = Type.String({ minLength: 1, maxLength: limits.xpathCharsMax })
const name = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const elapsed = Type.Integer({ minimum: 0, maximum: limits.elapsedMsMax })
const stage = Type.Integer({ minimum: 0, maximum: 1_000_000 })
/** values of `data`, by key; the pattern bounds the keys, as a record ignores the length of its key type */
const data = Type.Record(
  Type.String({ pattern: `^[\\s\\S]{1,${limits.dataKeyCharsMax}}$` }),
  Type.Union([Type.String({ maxLength: limits.dataValueCharsMax }), Type.Number(), Type.Boolean()]),
  { maxProperties: limits.dataKeysMax, additionalProperties: false },
)

/** of how many events this is the one that was kept: it counts so often, except among unique users */
const sampled = { samplerate: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.samplerateMax })) }

/** What is particular to each kind: the one place where the fields of an event are written down. */
export const eventFields = {
  custom: { name, data: Type.Optional(data), ...sampled },
  click: { target: xpath, elapsed_time: elapsed, current_url: url, ...sampled },
  url_change: { from: url, to: url, elapsed_time: elapsed, ...sampled },
  btn_time: {
    target: xpath,
    action: Type.Union([Type.Literal('hover-then-leave'), Type.Literal('hover-then-clicked')]),
    elapsed_time: elapsed,
    /** hesitation is measured by mouse: a finger is on an element when it presses it */
    pointer: Type.Optional(Type.Union([Type.Literal('mouse'), Type.Literal('touch'), Type.Literal('pen')])),
    ...sampled,
  },
  funnel_change: {
    action: Type.Union([Type.Literal('onClick'), Type.Literal('onUrlChange')]),
    funnel: id,
    entered: stage,
    from: Type.Optional(stage),
    elapsed_time: elapsed,
    ...sampled,
  },
  identify: { user_id: userId, data: Type.Optional(data), ...sampled },
} as const satisfies Record<EventType, Record<string, TSchema>>

const anyKind = { user_id: Type.Optional(userId) }
const stored = {
  event_id: id,
  /** integer ms since the epoch, UTC, after correction of the client's clock */
  timestamp: Type.Integer(),
  /** the client's own time, when it was corrected */
  client_time: Type.Optional(Type.Integer()),
  session_id: Type.Optional(id),
  /** counts up per session in the tracker: breaks ties, and a gap in it is a measured loss */
  seq: Type.Integer({ minimum: 0 }),
}
const kind = <T extends EventType>(type: T): { type: ReturnType<typeof Type.Literal<T>> } => ({
  type: Type.Literal(type),
})

export const CustomEvent = Type.Object({ ...stored, ...anyKind, ...kind('custom'), ...eventFields.custom })
export const ClickEvent = Type.Object({ ...stored, ...anyKind, ...kind('click'), ...eventFields.click })
export const UrlChangeEvent = Type.Object({ ...stored, ...anyKind, ...kind('url_change'), ...eventFields.url_change })
export const BtnTimeEvent = Type.Object({ ...stored, ...anyKind, ...kind('btn_time'), ...eventFields.btn_time })
export const FunnelChangeEvent = Type.Object({
  ...stored,
  ...anyKind,
  ...kind('funnel_change'),
  ...eventFields.funnel_change,
})
export const IdentifyEvent = Type.Object({ ...stored, ...kind('identify'), ...eventFields.identify })

/** An event as the log and everything behind it knows it. */
export const Event = Type.Union([
  CustomEvent,
  ClickEvent,
  UrlChangeEvent,
  BtnTimeEvent,
  FunnelChangeEvent,
  IdentifyEvent,
])
export type Event = Static<typeof Event>
export type EventOf<T extends EventType> = Extract<Event, { type: T }>

const wire = {
  event_id: Type.Optional(id),
  timestamp: Type.Optional(Type.Union([Type.Integer(), Type.String({ format: 'date-time', maxLength: 40 })])),
  device_id: Type.Optional(id),
  session_id: Type.Optional(id),
  seq: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
}
const wireKind = (type: EventType): TSchema =>
  Type.Object(
    {
      type: Type.Union([Type.Literal(eventTypes.indexOf(type)), Type.Literal(type)]),
      ...wire,
      ...(type === 'identify' ? {} : anyKind),
      ...eventFields[type],
    },
    { title: type },
  )

/**
 * What a client sends, by kind: `type` as a number or a name, ids and times optional (ingest fills them in). Unknown
 * fields are dropped and named.
 */
export const wireEvents: Record<EventType, TSchema> = {
  custom: wireKind('custom'),
  click: wireKind('click'),
  url_change: wireKind('url_change'),
  btn_time: wireKind('btn_time'),
  funnel_change: wireKind('funnel_change'),
  identify: wireKind('identify'),
}

/** A wire event before its kind is known. */
export interface WireEvent {
  type: number | string
  event_id?: string
  timestamp?: number | string
  device_id?: string
  session_id?: string
  seq?: number
  user_id?: string
  [field: string]: unknown
}

/** The body of `POST /v1/events`. Events are checked one by one, so that the good ones of a mixed batch are kept. */
export const EventsBody = Type.Object({
  sent_at: Type.Optional(
    Type.Union([Type.Integer(), Type.String({ format: 'date-time' })], {
      description: "the sender's clock at sending, ms since the epoch or ISO 8601; corrects timestamps",
    }),
  ),
  device_id: Type.Optional(id),
  session_id: Type.Optional(id),
  webdriver: Type.Optional(
    Type.Boolean({ description: 'true: a program drives the browser; the events are kept and not counted' }),
  ),
  historical: Type.Optional(
    Type.Boolean({ description: 'true: events of the past are brought in on purpose; they are accepted, never late' }),
  ),
  events: Type.Array(Type.Unknown(), { minItems: 0, maxItems: limits.eventsPerBatchMax }),
})
export type EventsBody = Static<typeof EventsBody>

const literals = <T extends string>(names: readonly T[]): TUnsafe<T> =>
  Type.Unsafe<T>(Type.Union(names.map((name) => Type.Literal(name))))

/** A field of an accepted event, or of the body itself, that does not stand as it was sent. */
export const EventChange = Type.Object({
  index: Type.Union([Type.Integer(), Type.Null()], { description: 'of the event; null for a field of the body' }),
  path: Type.String(),
  reason: literals(Object.keys(changeReasons) as ChangeReason[]),
  did_you_mean: Type.Optional(Type.String({ description: 'a known field with a name near to an unknown one' })),
})
export type EventChange = Static<typeof EventChange>

/** The answer of `POST /v1/events`. */
export const EventsAnswer = Type.Object({
  accepted: Type.Integer({ description: 'events that are stored; what repeats an earlier event_id shows later' }),
  rejected: Type.Array(Type.Object({ index: Type.Integer(), reason: Type.String(), message: Type.String() })),
  changed: Type.Optional(
    Type.Array(EventChange, {
      maxItems: limits.changesNamedMax,
      description: 'what of the accepted events could not stand as it was sent; the events are kept',
    }),
  ),
  changed_total: Type.Optional(
    Type.Integer({ description: 'how many changes there are, when there are more than are named' }),
  ),
  bot: Type.Optional(
    Type.Integer({
      description:
        'how many of the accepted events are kept but not counted, since a machine is held to have sent them',
    }),
  ),
  bot_reason: Type.Optional(literals(botReasons)),
})
export type EventsAnswer = Static<typeof EventsAnswer>
