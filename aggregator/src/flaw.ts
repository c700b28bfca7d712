import {
  botReasons, BtnTimeEvent, ClickEvent, CustomEvent, FunnelChangeEvent, IdentifyEvent, limits, rejectReasons, UrlChangeEvent,
  type Envelope, type Event, type EventType,
} from '@hopper/contracts'
import { Type, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'

const schemas = {
  custom: CustomEvent, click: ClickEvent, url_change: UrlChangeEvent, btn_time: BtnTimeEvent, funnel_change: FunnelChangeEvent, identify: IdentifyEvent,
} as const satisfies Record<EventType, TSchema>
const events = new Map<unknown, Validator>(Object.entries(schemas).map(([type, schema]) => [type, Compile(schema)]))

const text = Type.String()
const oneOf = (names: readonly string[]): TSchema => Type.Union(names.map((name) => Type.Literal(name)))
const sender = Compile(
  Type.Object({
    context: Type.Object({ device: text, browser: text, os: text, country: Type.Optional(text), bot: Type.Optional(oneOf(botReasons)) }),
    rejected: Type.Optional(Type.Array(Type.Object({ reason: oneOf(Object.keys(rejectReasons)) }))),
  }),
)

/** Further away a date has no year of four digits. */
const INSTANT_MS_MAX = 253_402_300_799_999

/**
 * Why an envelope can not be counted, undefined when it can. Ingest lets none of these through; whatever else writes to the log must not stop a lane, and
 * what the tables refuse would. Decided for each message by itself, so that a replay decides the same.
 */
export function flawOf(envelope: Envelope): string | undefined {
  if (!sender.Check(envelope)) return 'its context or its rejected events are not of their types'
  if (!isInCalendar(envelope.received_at)) return 'received_at is out of the calendar'
  const at = envelope.events.findIndex((event) => !isEvent(event))
  return at < 0 ? undefined : `its event ${at} is not valid`
}

function isEvent(event: Event | null): boolean {
  if (!events.get(event?.type)?.Check(event)) return false
  const { timestamp, client_time = 0 } = event!
  return timestamp >= limits.timestampMsMin && isInCalendar(timestamp) && isInCalendar(client_time)
}

function isInCalendar(instant: number): boolean {
  return Math.abs(instant) <= INSTANT_MS_MAX
}
