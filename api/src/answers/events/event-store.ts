import { Type, type Static, type TOptional, type TString } from 'typebox'
import { EventsParameters } from './events.ts'

/** Requests and answers of the calls at the root of the API, which answer for the app of a read key. */

export const SESSION_EVENTS_MAX = 10_000

const cursor = (description: string): TOptional<TString> =>
  Type.Optional(Type.String({ pattern: '^c[0-9a-z.]{1,12000}$', description }))

export const PutEventsParameters = Type.Object({
  limit: EventsParameters.properties.limit,
  start: Type.Optional(
    Type.String({
      pattern: '^([0-9]{1,12}|c[0-9a-z.]{1,12000})$',
      description: 'number of events to skip, or the cursor in the `Link` of the previous page; default: 0',
    }),
  ),
})
export type PutEventsParameters = Static<typeof PutEventsParameters>

/** Start of a stream of events. */
export const StreamParameters = Type.Object({
  lastEventId: cursor(
    '`id` of the last event that the client has, or a cursor of `GET /events`; ' +
      'the header Last-Event-ID takes precedence. Default: now',
  ),
})
export type StreamParameters = Static<typeof StreamParameters>

export const LiveParameters = Type.Object({
  ...StreamParameters.properties,
  bots: Type.Optional(
    Type.Enum(['0', '1'], { description: '1: also events of bots, with the fate `bot`; default: 0' }),
  ),
})
export type LiveParameters = Static<typeof LiveParameters>

/** An event as it came by `PUT /events`. */
export const PutEvent = Type.Object({
  message_id: Type.String(),
  timestamp: Type.Union([Type.Integer(), Type.String()], {
    description: 'ms since the epoch; all digits of ns, as a text, if it was sent so',
  }),
  event_type: Type.String(),
  payload: Type.Unknown({ description: 'as it was sent, byte for byte' }),
})
export const PutEvents = Type.Array(PutEvent, { description: 'in the order of their receipt' })

export const SessionView = Type.Object({
  type: Type.Literal('SESSION'),
  start: Type.Integer({ description: 'ms: the time of its SESSION_START, else of its first event' }),
  end: Type.Union([Type.Integer(), Type.Null()], {
    description:
      'ms: the time of its SESSION_END, else of its last event once 30 minutes have passed; null: still open',
  }),
  children: Type.Array(
    Type.Object({
      type: Type.Literal('EVENT'),
      timestamp: Type.Integer(),
      name: Type.String({ description: 'of a custom event its name, of another its type' }),
    }),
    { maxItems: SESSION_EVENTS_MAX, description: 'ordered by time, without SESSION_START and SESSION_END' },
  ),
  truncated: Type.Optional(Type.Literal(true, { description: 'the session has more events' })),
})
export type SessionView = Static<typeof SessionView>
