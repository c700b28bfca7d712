import type { ExportedEvent } from './exported-event.ts'

/** One line of JSON with all that is known of an event: its own fields, then whose it is, and its place in the log. */
export function ndjsonLine({
  event,
  device_id,
  user,
  context,
  received_at,
  lane,
  position,
  index,
}: ExportedEvent): string {
  return `${JSON.stringify({ ...event, device_id, ...(user === '' ? {} : { user }), context, received_at, lane, position, index })}\n`
}
