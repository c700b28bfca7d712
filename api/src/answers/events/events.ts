import { Type, type Static } from 'typebox'
import { fates, Meta } from '@hopper/contracts'
import { exportFormats, type ExportedEvent, type ExportFormat } from '@hopper/engine'
import { RangeParameters } from '../report-parameters.ts'

const FILTERS_CHARS_MAX = 8_000
export const PAGE_EVENTS_MAX = 1_000
export const PAGE_EVENTS_DEFAULT = 100
export const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: PAGE_EVENTS_MAX, description: `events; default: ${PAGE_EVENTS_DEFAULT}` }),
)

export const EventsParameters = Type.Object({
  start: Type.Optional(
    Type.String({
      pattern: '^([0-9]{1,12}|c[0-9a-z.]{1,12000}|t[A-Za-z0-9_-]{1,200})$',
      description: 'number of events to skip, or `next` of the previous page; default: 0',
    }),
  ),
  limit,
  order: Type.Optional(
    Type.Literal('-timestamp', { description: 'the newest first; default: lane by lane, in the order of the log' }),
  ),
  filters: Type.Optional(
    Type.String({
      maxLength: FILTERS_CHARS_MAX,
      description:
        'with order=-timestamp: filters as in a query, as JSON: [{"type":"eq","key":"type","value":"click"}]',
    }),
  ),
})
export type EventsParameters = Static<typeof EventsParameters>
export const ExportParameters = Type.Object({
  ...RangeParameters.properties,
  // the type of a union of a list whose length is unknown would be `never`
  format: Type.Unsafe<ExportFormat>(
    Type.Union(
      Object.keys(exportFormats).map((format) => Type.Literal(format)),
      { description: 'arrow (an Arrow IPC stream), ndjson or csv' },
    ),
  ),
  bom: Type.Optional(Type.Enum(['0', '1'], { description: 'for csv: 1 adds a byte-order mark' })),
})
export type ExportParameters = Static<typeof ExportParameters>

/** An event in an answer: its own fields, its user, its sender as far as known, and its position in the log. */
export const event = Type.Object({
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

/** Builds an event as the API returns it; the fields of the log follow its own. */
export function eventView({
  event: own,
  device_id,
  user,
  context,
  received_at,
  lane,
  position,
  index,
}: Omit<ExportedEvent, 'user'> & { readonly user?: string }): EventView {
  return {
    ...own,
    device_id,
    ...(user ? { user } : {}),
    context: { ...context },
    received_at,
    lane,
    position,
    index,
  }
}

const judgedEvent = Type.Object({
  ...event.properties,
  fate: Type.Optional(Type.Enum(['accepted', 'late', 'bot'], { description: 'with order=-timestamp only' })),
})

export const EventsPage = Type.Object({
  events: Type.Array(judgedEvent, { description: 'lane by lane, each in log order; or the newest first' }),
  next: Type.Optional(
    Type.String({
      description:
        '`start` for the next page. In log order always present, since later events appear there; ' +
        'with order=-timestamp it has older events, and is absent on the last page',
    }),
  ),
  follow: Type.Optional(
    Type.String({
      description:
        'with order=-timestamp: the Last-Event-ID with which `live` continues this page, without gap or repetition',
    }),
  ),
  meta: Meta,
})

export const EventFate = Type.Object({
  fate: Type.Enum([...fates], {
    description:
      'fate of the first event with this id; repetitions are duplicates and count nowhere. ' +
      'rejected: every event with this id was, and no other is known',
  }),
  reason: Type.String(),
  received_at: Type.Union([Type.Integer(), Type.Null()], {
    description: 'when it was received, ms since the epoch; null if neither archive nor log can say it now',
  }),
  lane: Type.Integer(),
  position: Type.Integer(),
  tables: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description:
      "tables of numbers that count it, by the app's settings as they are now; " +
      'fates_by_date counts every event; null if the event itself cannot be read now',
  }),
  event: Type.Optional(
    Type.Object(event.properties, {
      description:
        'absent for a rejected event, whose content is not stored, and if neither archive nor log has it now',
    }),
  ),
  meta: Meta,
})
export type EventFate = Omit<Static<typeof EventFate>, 'event'> & { event?: EventView }
