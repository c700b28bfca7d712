import type { EventOf, EventType } from '@hopper/contracts'
import { nextInSession } from './device.ts'
import { enqueue } from './queue.ts'
import { randomId } from './random-id.ts'

/** Wire number of each kind (docs/events.md). */
interface Kinds {
  0: 'custom'
  1: 'click'
  2: 'url_change'
  3: 'btn_time'
  4: 'funnel_change'
  5: 'identify'
}
type Added = 'type' | 'event_id' | 'timestamp' | 'client_time' | 'session_id' | 'seq' | 'samplerate' | 'elapsed_time'
/** What is particular to a kind; a field without a value is not sent. */
type Fields<T extends EventType> = {
  [K in keyof Omit<EventOf<T>, Added>]: EventOf<T>[K] | (undefined extends EventOf<T>[K] ? undefined : never)
}

/**
 * Records one event. `since` is where its `elapsed_time` begins; that is never negative, even when the clock was set
 * back.
 */
export const track = <N extends keyof Kinds>(
  type: N,
  fields: Fields<Kinds[N]>,
  since?: number,
  timestamp = Date.now(),
): void => {
  const event = {
    timestamp,
    ...nextInSession(timestamp),
    type,
    event_id: randomId(),
    ...fields,
    elapsed_time: since && Math.max(0, timestamp - since),
  }
  // no text of an event is longer than an address may be, else the server refuses the event
  enqueue(JSON.stringify(event, (_name, value) => value?.slice?.(0, 2048) || value))
}
