import { eventFields, eventStoreFields, eventTypes, type Event, type EventType } from '@hopper/contracts'
import { Changes } from '../repair/changes.ts'
import type { Incoming } from '../batch/incoming.ts'
import { wireNames } from '../repair/repair.ts'

const names = Object.fromEntries(
  eventTypes.map((type) => [type, [...new Set(['user_id', ...Object.keys(eventFields[type])])]]),
) as Record<EventType, string[]>
const setByIngest = Object.keys(eventStoreFields)
const stored = Object.fromEntries(
  eventTypes.map((type): [EventType, ReadonlySet<string>] => [
    type,
    new Set(['event_id', 'timestamp', 'type', 'seq', 'session_id', ...names[type]]),
  ]),
) as Record<EventType, ReadonlySet<string>>

/**
 * Builds the event for the log. It contains only fields of the schema; all other fields are dropped, and recorded as
 * changes.
 */
export function buildEvent(incoming: Incoming): Incoming {
  const { wire, type, event_id, timestamp, client_time, index } = incoming
  if (isStoredAsSent(incoming)) {
    wire.type = type
    incoming.event = wire as Event
    return incoming
  }
  recordUnknown(incoming)
  const event: Record<string, unknown> = { event_id, timestamp, type, seq: wire.seq ?? index }
  if (client_time !== undefined) event.client_time = client_time
  if (wire.session_id !== undefined) event.session_id = wire.session_id
  for (const name of names[type]) {
    const value = incoming.stored?.[name] ?? wire[name]
    if (value !== undefined) event[name] = value
  }
  if (incoming.supplement?.stored !== undefined) {
    for (const name of setByIngest) {
      const value = incoming.stored?.[name]
      if (value !== undefined) event[name] = value
    }
  }
  incoming.event = event as Event
  incoming.rewritten = true
  return incoming
}

function recordUnknown(incoming: Incoming): void {
  const sent = incoming.sent as object
  const known = wireNames[incoming.type]
  for (const name in sent)
    if (!known.has(name)) return (incoming.changes ??= new Changes(incoming.batch.room)).recordUnknown(sent, known)
}

/** True when the event was sent exactly as the log stores it, except for its type, which may be a number. */
function isStoredAsSent({ wire, type, timestamp, client_time, changes, stored: less }: Incoming): boolean {
  if (changes !== undefined || less !== undefined) return false
  if (
    wire.event_id === undefined ||
    wire.seq === undefined ||
    wire.timestamp !== timestamp ||
    client_time !== undefined
  )
    return false
  const known = stored[type]
  for (const name in wire) if (!known.has(name)) return false
  return true
}
