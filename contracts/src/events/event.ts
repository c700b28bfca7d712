import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'
import { changeReasons, type ChangeReason } from './changes.ts'
import { botReasons } from './fate.ts'
import { limits } from '../limits.ts'
import { screenClasses, Source } from './source.ts'

/** Event types, indexed by their wire number. A wire event may give its type as number or name. */
export const eventTypes = ['custom', 'click', 'url_change', 'btn_time', 'funnel_change', 'identify'] as const
export type EventType = (typeof eventTypes)[number]

const id = Type.String({ minLength: 1, maxLength: limits.idCharsMax })
const userId = Type.String({ minLength: 1, maxLength: limits.userIdCharsMax })
const url = Type.String({ maxLength: limits.urlCharsMax })
const xpath = Type.String({ minLength: 1, maxLength: limits.xpathCharsMax })
const name = Type.String({ minLength: 1, maxLength: limits.nameCharsMax })
const elapsed = Type.Integer({ minimum: 0, maximum: limits.elapsedMsMax })
const stage = Type.Integer({ minimum: 0, maximum: 1_000_000 })
/** values of `data` by key; the pattern limits the length of keys, as a record ignores the length of its key type */
const data = Type.Record(
  Type.String({ pattern: `^[\\s\\S]{1,${limits.dataKeyCharsMax}}$` }),
  Type.Union([Type.String({ maxLength: limits.dataValueCharsMax }), Type.Number(), Type.Boolean()]),
  { maxProperties: limits.dataKeysMax, additionalProperties: false },
)

/** the event is a 1-in-n sample: it counts n times, except for unique users */
const sampled = { samplerate: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.samplerateMax })) }

/** Fields specific to each event type. This is the only definition of the fields of an event. */
export const eventFields = {
  custom: { name, data: Type.Optional(data), current_url: Type.Optional(url), ...sampled },
  click: { target: xpath, elapsed_time: elapsed, current_url: url, ...sampled },
  url_change: { from: url, to: url, elapsed_time: elapsed, ...sampled },
  btn_time: {
    target: xpath,
    action: Type.Union([Type.Literal('hover-then-leave'), Type.Literal('hover-then-clicked')]),
    elapsed_time: elapsed,
    /** hesitation is measured for a mouse only: a finger touches an element only when it presses it */
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

/**
 * Fields of a custom event that only ingest sets, for events of the event store (`PUT /events`). A sender cannot set
 * them: on the wire, `payload` is an unknown field.
 */
export const eventStoreFields = {
  /** JSON text of the payload, byte for byte as it was sent */
  payload: Type.Optional(Type.String({ maxLength: limits.eventBytesMax })),
  /** ns since the epoch, all digits as they were sent */
  timestamp_ns: Type.Optional(Type.String({ pattern: '^[0-9]{16,20}$' })),
}

const anyKind = { user_id: Type.Optional(userId) }
const stored = {
  event_id: id,
  /** integer ms since the epoch, UTC, corrected for the skew of the client's clock */
  timestamp: Type.Integer(),
  /** the client's original time, if it was corrected */
  client_time: Type.Optional(Type.Integer()),
  session_id: Type.Optional(id),
  /** incremented per session by the tracker: breaks ties, and a gap reveals lost events */
  seq: Type.Integer({ minimum: 0 }),
}
const kind = <T extends EventType>(type: T): { type: ReturnType<typeof Type.Literal<T>> } => ({
  type: Type.Literal(type),
})

export const CustomEvent = Type.Object({
  ...stored,
  ...anyKind,
  ...kind('custom'),
  ...eventFields.custom,
  ...eventStoreFields,
})
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

/** An event as stored in the log and used by everything that reads it. */
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
 * Schemas of the events that clients send, by type: `type` is a number or a name; ids and times are optional and filled
 * in by ingest. Unknown fields are dropped and reported in the response.
 */
export const wireEvents: Record<EventType, TSchema> = {
  custom: wireKind('custom'),
  click: wireKind('click'),
  url_change: wireKind('url_change'),
  btn_time: wireKind('btn_time'),
  funnel_change: wireKind('funnel_change'),
  identify: wireKind('identify'),
}

/** A wire event before its type is known. */
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

/** The body of `POST /v1/events`. Events are validated one by one, so that the valid events of a batch are kept. */
export const EventsBody = Type.Object({
  sent_at: Type.Optional(
    Type.Union([Type.Integer(), Type.String({ format: 'date-time' })], {
      description: "the sender's clock at sending, ms since the epoch or ISO 8601; corrects timestamps",
    }),
  ),
  device_id: Type.Optional(id),
  session_id: Type.Optional(id),
  cookieless: Type.Optional(
    Type.Boolean({ description: 'true: nothing is stored in the browser; ingest derives the device of the day' }),
  ),
  source: Type.Optional(Source),
  language: Type.Optional(
    Type.String({ maxLength: limits.languageCharsMax, description: "the browser's language, BCP 47, like de-AT" }),
  ),
  screen: Type.Optional(Type.Enum([...screenClasses], { description: 'class of the screen by its width' })),
  country: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z]{2}$',
      description: 'ISO 3166-1 code, of a sender that knows where its visitor is',
    }),
  ),
  region: Type.Optional(
    Type.String({ maxLength: limits.regionCharsMax, description: 'ISO 3166-2 code, like DE-BY, with a country' }),
  ),
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

/** A field of an accepted event, or of the body itself, that was not stored as sent. */
export const EventChange = Type.Object({
  index: Type.Union([Type.Integer(), Type.Null()], { description: 'of the event; null for a field of the body' }),
  path: Type.String(),
  reason: literals(Object.keys(changeReasons) as ChangeReason[]),
  did_you_mean: Type.Optional(Type.String({ description: 'a known field with a name near to an unknown one' })),
})
export type EventChange = Static<typeof EventChange>

/** The response of `POST /v1/events`. */
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
      description: 'how many of the accepted events are kept but not counted, since a bot seems to have sent them',
    }),
  ),
  bot_reason: Type.Optional(literals(botReasons)),
})
export type EventsAnswer = Static<typeof EventsAnswer>
