import { Type, type Static } from 'typebox'
import { ComputedProperty, limits, Meta, queryLimits } from '@hopper/contracts'
import { RangeParameters } from './report-parameters.ts'
import { event, limit, type EventView } from './events/events.ts'

/** Schemas of persons and their computed properties. */
export const PERSONS_DEFAULT = 50
export const PERSONS_MAX = 500
const FILTER_CHARS_MAX = 8_000
const CURSOR_CHARS_MAX = 4_000

export const PersonParameters = Type.Object({
  ...RangeParameters.properties,
  limit,
  cursor: Type.Optional(
    Type.String({ maxLength: CURSOR_CHARS_MAX, description: '`next` of the page before: older events' }),
  ),
})
export type PersonParameters = Static<typeof PersonParameters>

const traits = Type.Record(Type.String(), Type.Unknown(), {
  description: 'the last value of each trait, over all events',
})
const properties = Type.Record(Type.String(), Type.Unknown(), {
  description: 'the computed properties of the app, over all events; null where there is no value',
})

export const Person = Type.Object({
  id: Type.String(),
  users: Type.Array(Type.String(), { description: 'users that the device was identified as, oldest first' }),
  devices: Type.Array(
    Type.Object({ device_id: Type.String(), first: Type.Integer(), last: Type.Integer(), events: Type.Integer() }),
    {
      description: 'devices with events in the range, last used first',
    },
  ),
  traits,
  properties,
  events: Type.Integer(),
  timeline: Type.Array(event, { description: 'newest first' }),
  next: Type.Optional(Type.String({ description: '`cursor` of the page with older events; absent on the last one' })),
  meta: Meta,
})
export type Person = Omit<Static<typeof Person>, 'timeline'> & { timeline: EventView[] }

export const PersonsParameters = Type.Object({
  ...RangeParameters.properties,
  search: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.userIdCharsMax,
      description: 'part of a user id, a device id or the value of a trait, in any case',
    }),
  ),
  filter: Type.Optional(
    Type.String({
      maxLength: FILTER_CHARS_MAX,
      description:
        'filters as in a query, as JSON, over the keys person, user_id, trait.NAME and property.NAME: ' +
        '[{"type":"eq","key":"trait.plan","value":"pro"}]',
    }),
  ),
  order: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: queryLimits.keyCharsMax + 1,
      description:
        'last_seen, first_seen, events, trait.NAME or property.NAME; a leading - means descending. Default: -last_seen',
    }),
  ),
  cursor: Type.Optional(
    Type.String({ maxLength: CURSOR_CHARS_MAX, description: '`next` of the page before, for the same question' }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: PERSONS_MAX, description: `persons; default: ${PERSONS_DEFAULT}` }),
  ),
})
export type PersonsParameters = Static<typeof PersonsParameters>

export const Persons = Type.Object({
  persons: Type.Array(
    Type.Object({
      id: Type.String({ description: '`u:USER`, or `d:DEVICE` for a device that was never identified' }),
      users: Type.Array(Type.String()),
      devices: Type.Integer({ description: 'number of devices with events in the range' }),
      first_seen: Type.Integer({ description: 'time of the first event in the range' }),
      last_seen: Type.Integer({ description: 'time of the last event in the range' }),
      events: Type.Integer({ description: 'events in the range' }),
      traits,
      properties,
    }),
  ),
  next: Type.Optional(Type.String({ description: '`cursor` of the next page; absent on the last one' })),
  meta: Meta,
})
export type Persons = Static<typeof Persons>

export const Properties = Type.Object({ properties: Type.Array(ComputedProperty) })
