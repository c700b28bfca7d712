import { Type, type Static } from 'typebox'
import { fates, Meta } from '@hopper/contracts'
import { exportFormats, type ExportedEvent, type ExportFormat } from '@hopper/engine'
import { RangeAsked } from './asked.ts'

export const PAGE_EVENTS_MAX = 1_000
export const PAGE_EVENTS_DEFAULT = 100
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE_EVENTS_MAX, description: `events; default: ${PAGE_EVENTS_DEFAULT}` }),
)

export const EventsAsked = Type.Object({
  start: Type.Optional(
    Type.String({
      pattern: '^([0-9]{1,12}|c[0-9a-z.]{1,4000})$',
      description: 'number of events to skip, or `next` of the previous page; default: 0',
    }),
  ),
  limit,
})
export type EventsAsked = Static<typeof EventsAsked>
export const PersonAsked = Type.Object({ ...RangeAsked.properties, limit })
export type PersonAsked = Static<typeof PersonAsked>
export const ExportAsked = Type.Object({
  ...RangeAsked.properties,
  // the type of a union of a list whose length is unknown would be `never`
  format: Type.Unsafe<ExportFormat>(
    Type.Union(
      Object.keys(exportFormats).map((format) => Type.Literal(format)),
      { description: 'arrow (an Arrow IPC stream), ndjson or csv' },
    ),
  ),
  bom: Type.Optional(Type.Enum(['0', '1'], { description: 'for csv: 1 adds a byte-order mark' })),
})
export type ExportAsked = Static<typeof ExportAsked>

/** An event in an answer: its own fields, its user, what is known of its sender, and its position in the log. */
const event = Type.Object({
  event_id: Type.String(),
  type: Type.String(),
  timestamp: Type.Integer(),
  seq: Type.Integer(),
  device_id: Type.String(),
  user: Type.Optional(Type.String({ description: 'the user in effect when the event was counted' })),
  context: Type.Record(Type.String(), Type.Unknown()),
  received_at: Type.Integer(),
  lane: Type.Integer(),
  position: Type.Integer(),
  index: Type.Integer(),
})
export type EventView = Static<typeof event> & Readonly<Record<string, unknown>>

export function eventView({
  event: own,
  device_id,
  user,
  context,
  received_at,
  lane,
  position,
  index,
}: ExportedEvent): EventView {
  return {
    ...own,
    device_id,
    ...(user === '' ? {} : { user }),
    context: { ...context },
    received_at,
    lane,
    position,
    index,
  }
}

export const EventsPage = Type.Object({
  events: Type.Array(event, { description: 'lane by lane, each in log order' }),
  next: Type.String({ description: '`start` for the next page; later events appear there' }),
  meta: Meta,
})
export type EventsPage = { events: EventView[]; next: string; meta: Meta }

export const EventFate = Type.Object({
  fate: Type.Enum([...fates], {
    description: 'fate of the first event with this id; repetitions are duplicates and count nowhere',
  }),
  reason: Type.String(),
  lane: Type.Integer(),
  position: Type.Integer(),
  event,
  meta: Meta,
})
export type EventFate = Omit<Static<typeof EventFate>, 'event'> & { event: EventView }

export const Person = Type.Object({
  id: Type.String(),
  users: Type.Array(Type.String(), { description: 'users that the device was identified as, oldest first' }),
  devices: Type.Array(
    Type.Object({ device_id: Type.String(), first: Type.Integer(), last: Type.Integer(), events: Type.Integer() }),
    {
      description: 'devices with events in the range, last used first',
    },
  ),
  properties: Type.Record(Type.String(), Type.Unknown(), {
    description: 'the last value of each trait in the range',
  }),
  events: Type.Integer(),
  timeline: Type.Array(event, { description: 'newest first' }),
  meta: Meta,
})
export type Person = Omit<Static<typeof Person>, 'timeline'> & { timeline: EventView[] }
