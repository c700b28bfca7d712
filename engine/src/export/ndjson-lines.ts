import type { ExportedEvent } from './exported-event.ts'

/**
 * Formats an event with all its data as one line of JSON: its fields, then its visitor, context and place in the log.
 */
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
  const owner = user === '' ? { device_id } : { device_id, user }
  return `${JSON.stringify({ ...event, ...owner, context, received_at, lane, position, index })}\n`
}
