import { randomUUID } from 'node:crypto'
import { derivedId, nthId } from '../batch/derived-id.ts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * Gives an id to an event without one. If the event has a time, the id is derived from everything that was sent and
 * from the number of equal events before it in the request, so that a retry of the request is idempotent. An event
 * without a time is always a new one: its id is random.
 */
export function fillEventId(incoming: Incoming): Incoming {
  const { event_id, timestamp } = incoming.wire
  incoming.event_id = event_id ?? (timestamp === undefined ? randomUUID() : contentId(incoming))
  return incoming
}

/**
 * Derives the id from the event as it was sent, since repairs may make two events equal. It uses the sender's own time,
 * which is the same when the event is sent again, whatever its clock shows then.
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
  return nthId(batch.repetitions, content)
}
