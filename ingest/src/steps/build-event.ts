import { eventFields, eventTypes, type Event, type EventType } from '@hopper/contracts'
import type { Incoming } from '../incoming.ts'

const names = Object.fromEntries(eventTypes.map((type) => [type, [...new Set(['user_id', ...Object.keys(eventFields[type])])]])) as Record<EventType, string[]>

/** The event as the log knows it: only fields that the schema names, everything else that was sent is left behind. */
export function buildEvent(incoming: Incoming): Incoming {
  const { wire, type, event_id, timestamp, client_time, index } = incoming
  const event: Record<string, unknown> = { event_id, timestamp, type, seq: wire.seq ?? index }
  if (client_time !== undefined) event.client_time = client_time
  if (wire.session_id !== undefined) event.session_id = wire.session_id
  for (const name of names[type]) {
    const value = wire[name]
    if (value !== undefined) event[name] = value
  }
  incoming.event = event as Event
  return incoming
}
