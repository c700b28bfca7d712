import { randomUUID } from 'node:crypto'
import { derivedId } from '../batch/derived-id.ts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * An event without an id gets one. With a time it is derived from all that was sent, and from how many equal ones stand
 * before it in the request, so that sending the request again changes nothing. Without a time each event is a new one:
 * its id is random.
 */
export function fillEventId(incoming: Incoming): Incoming {
  const { event_id, timestamp } = incoming.wire
  incoming.event_id = event_id ?? (timestamp === undefined ? randomUUID() : contentId(incoming))
  return incoming
}

/**
 * Of what was sent, not of what a repair makes of it, which may be the same for two events. The time is the sender's
 * own: it is the same when the event is sent again, whatever its clock shows then.
 */
function contentId({ sent, wire, type, device_id, timestamp, client_time, batch }: Incoming): string {
  const session_id = wire.session_id ?? batch.session_id
  const content = derivedId(batch.app.id, {
    ...(sent as object),
    type,
    device_id,
    session_id,
    timestamp: client_time ?? timestamp,
  })
  const before = batch.repetitions.get(content) ?? 0
  batch.repetitions.set(content, before + 1)
  return before === 0 ? content : derivedId(content, before)
}
