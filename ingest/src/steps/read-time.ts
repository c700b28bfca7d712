import { Dropped, type Incoming } from '../batch/incoming.ts'
import { instantOf } from '../batch/instant.ts'

/** Reads the time of an event; the time of receipt when the event has none. */
export function readTime(incoming: Incoming): Incoming | Dropped {
  const { timestamp } = incoming.wire
  const instant = timestamp === undefined ? incoming.batch.received_at : instantOf(timestamp)
  if (instant === undefined)
    return new Dropped(
      'invalid_field',
      'The field "timestamp" is not a valid time; send ms since the epoch or ISO 8601.',
    )
  incoming.timestamp = instant
  return incoming
}
