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
/** Fields of one kind; fields without a value are not sent. */
type Fields<T extends EventType> = {
  [K in keyof Omit<EventOf<T>, Added>]: EventOf<T>[K] | (undefined extends EventOf<T>[K] ? undefined : never)
}

/**
 * Records one event. `since` is the start of its `elapsed_time`, which is never negative, even if the clock was set
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
  // strings are cut to the maximum length of an address, or the server would reject the event
  enqueue(JSON.stringify(event, (_name, value: Partial<string> | null) => value?.slice?.(0, 2048) || value))
}
