import { Type, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { limits } from '../limits.ts'
import type { Envelope } from './envelope.ts'
import {
  BtnTimeEvent,
  ClickEvent,
  CustomEvent,
  FunnelChangeEvent,
  IdentifyEvent,
  UrlChangeEvent,
  type Event,
  type EventType,
} from './event.ts'
import { botReasons, botSigns, rejectReasons } from './fate.ts'
import { channels, clickIds, screenClasses } from './source.ts'

const schemas = {
  custom: CustomEvent,
  click: ClickEvent,
  url_change: UrlChangeEvent,
  btn_time: BtnTimeEvent,
  funnel_change: FunnelChangeEvent,
  identify: IdentifyEvent,
} as const satisfies Record<EventType, TSchema>
const events = new Map<unknown, Validator>(Object.entries(schemas).map(([type, schema]) => [type, Compile(schema)]))

const text = Type.String()
/** string that becomes part of a table key */
const name = Type.String({ maxLength: limits.urlCharsMax })
const oneOf = (names: readonly string[]): TSchema => Type.Union(names.map((name) => Type.Literal(name)))
const sender = Compile(
  Type.Object({
    device_id: Type.String({ maxLength: limits.idCharsMax }),
    context: Type.Object({
      device: name,
      browser: name,
      os: name,
      country: Type.Optional(name),
      region: Type.Optional(name),
      channel: Type.Optional(oneOf(channels)),
      referrer: Type.Optional(text),
      landing_page: Type.Optional(text),
      click_id: Type.Optional(oneOf(clickIds)),
      language: Type.Optional(text),
      screen: Type.Optional(oneOf(screenClasses)),
      numbered: Type.Optional(Type.Literal(true)),
      utm: Type.Optional(Type.Record(Type.String(), text)),
      bot: Type.Optional(oneOf(botReasons)),
      bot_sign: Type.Optional(oneOf(botSigns)),
    }),
    events: Type.Array(Type.Unknown(), { maxItems: limits.eventsPerBatchMax }),
    rejected: Type.Optional(Type.Array(Type.Object({ reason: oneOf(Object.keys(rejectReasons)) }))),
    forgotten: Type.Optional(
      Type.Array(
        Type.Object({
          index: Type.Integer({ minimum: 0, exclusiveMaximum: limits.eventsPerBatchMax }),
          id: Type.String({ minLength: 1, maxLength: limits.idCharsMax }),
          date: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
          expired: Type.Optional(Type.Literal(true)),
          user_id: Type.Optional(Type.String({ minLength: 1, maxLength: limits.idCharsMax })),
        }),
        { maxItems: limits.eventsPerBatchMax },
      ),
    ),
  }),
)

/** Dates beyond this have no four-digit year. */
export const INSTANT_MS_MAX = 253_402_300_799_999

/**
 * Returns why an envelope cannot be counted; undefined when it can. Ingest lets no invalid envelope through, but other
 * writers of the log must not be able to stop a lane with an envelope that the tables would refuse. Each message is
 * validated by itself, so that a replay decides the same.
 */
export function validateEnvelope(envelope: Envelope): string | undefined {
  if (!sender.Check(envelope)) return 'its device, its context or its rejected events are not of their types'
  // Events that were rejected for lack of a device come without one.
  if (envelope.device_id === '' && envelope.events.length > 0) return 'its events have no device'
  if (!isInCalendar(envelope.received_at)) return 'received_at is out of the calendar'
  const index = envelope.events.findIndex((event) => !isEvent(event))
  return index < 0 ? undefined : `its event ${index} is not valid`
}

function isEvent(event: Event | null): boolean {
  if (!events.get(event?.type)?.Check(event)) return false
  const { timestamp, client_time = 0, seq } = event!
  return (
    Number.isSafeInteger(seq) &&
    timestamp >= limits.timestampMsMin &&
    isInCalendar(timestamp) &&
    isInCalendar(client_time)
  )
}

function isInCalendar(instant: number): boolean {
  return Math.abs(instant) <= INSTANT_MS_MAX
}
