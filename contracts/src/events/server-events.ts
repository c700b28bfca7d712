import { Type, type Static } from 'typebox'
import { EventsAnswer } from './event.ts'
import { limits } from '../limits.ts'

/**
 * Bodies and answers of the calls for servers (docs/server-events.md). Like the events of `POST /v1/events`, each item
 * is validated on its own, so that the valid ones are kept.
 */
const time = Type.Union([Type.Integer(), Type.String()], { description: 'ms since the epoch, or ISO 8601' })
const text = Type.Union([Type.String(), Type.Number()], { description: 'a number is kept as its text' })
const anything = Type.Unknown()
const object = Type.Record(Type.String(), anything)
const many = { maxItems: limits.eventsPerBatchMax }

/** The body of `POST /events`. */
export const SamplesBody = Type.Object({
  events: Type.Array(
    Type.Object({
      ts: Type.Optional(time),
      samplerate: Type.Optional(
        Type.Integer({ minimum: 1, maximum: limits.samplerateMax, description: 'n makes the event count n times' }),
      ),
      data: Type.Optional(object),
      name: Type.Optional(Type.String({ description: 'default: event' })),
      event_id: Type.Optional(Type.String()),
      device_id: Type.Optional(Type.String()),
      user_id: Type.Optional(Type.String()),
      session_id: Type.Optional(Type.String()),
    }),
    many,
  ),
})

/** A message of the event store: the body of `PUT /event`, and an item of `PUT /events`. */
export const StoredMessage = Type.Object({
  message_id: Type.Optional(text),
  timestamp: Type.Optional(
    Type.Union([Type.Integer(), Type.String()], { description: 'ns since the epoch as text, ms, or ISO 8601' }),
  ),
  event_type: Type.String({ minLength: 1, maxLength: limits.nameCharsMax }),
  payload: Type.Optional(anything),
})
export const StoredMessages = Type.Array(StoredMessage, many)

/** An item of `POST /v1/track`. */
export const TrackedEvent = Type.Object({
  anonymousId: Type.Optional(text),
  userId: Type.Optional(text),
  occurredAt: Type.Optional(time),
  type: Type.String({ minLength: 1, maxLength: limits.nameCharsMax, description: 'name of the event' }),
  data: Type.Optional(object),
  utm: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'source, medium, campaign, …' })),
})
export const TrackBody = Type.Union([TrackedEvent, Type.Array(TrackedEvent, many)])

/** An item of `POST /v1/identify`. */
export const Identification = Type.Object({
  anonymousId: Type.Optional(text),
  userId: text,
  traits: Type.Optional(object),
  occurredAt: Type.Optional(time),
})
export const IdentifyBody = Type.Union([Identification, Type.Array(Identification, many)])

/** The response of `POST /v1/track` and `POST /v1/identify`. */
export const TrackAnswer = Type.Object({
  ...EventsAnswer.properties,
  ids: Type.Array(Type.Union([Type.String(), Type.Null()]), {
    description: 'id of each event, by its index in the request; null when it was rejected',
  }),
})
export type TrackAnswer = Static<typeof TrackAnswer>

/** An item of a message over `GET /ws`. */
export const SessionMessage = Type.Object({
  type: Type.Union([Type.Literal('SESSION_START'), Type.Literal('EVENT'), Type.Literal('SESSION_END')]),
  timestamp: Type.Optional(time),
  name: Type.Optional(Type.String({ description: 'needed for EVENT' })),
  session_id: Type.Optional(Type.String({ description: 'default: the session of the connection' })),
  data: Type.Optional(object),
  user_id: Type.Optional(text),
})
