import type { PutEvent } from '@hopper/engine'

/** Formats an event that came by `PUT /events` as JSON, with its payload byte for byte as it was sent. */
export function putItem({ event_id, timestamp, timestamp_ns, name, payload }: PutEvent): string {
  const fields = JSON.stringify({ message_id: event_id, timestamp: timestamp_ns ?? timestamp, event_type: name })
  return `${fields.slice(0, -1)},"payload":${payload}}`
}
