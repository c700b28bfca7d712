import type { Event } from './event.ts'
import { utcDate } from './utc-date.ts'

/**
 * Returns the date under which the id of an event is looked up: the UTC date of the client's own time, which is the
 * same when the event is sent again.
 */
export function seenDateOf(event: Pick<Event, 'client_time' | 'timestamp'>): string {
  return utcDate(event.client_time ?? event.timestamp)
}
