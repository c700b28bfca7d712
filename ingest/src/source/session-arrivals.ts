import { limits } from '@hopper/contracts'
import { LRUCache } from 'lru-cache'
import type { Arrival } from './arrival.ts'

/** Estimated memory of an entry besides its texts. */
const ENTRY_BYTES = 400
const BYTES_MAX = 32_000_000

interface Known {
  readonly arrival: Arrival
  /** ms since the epoch */
  usedAt: number
}

/**
 * Remembers how sessions began, for senders that report it only in the first request of a session (older trackers, the
 * clients of other products): a purchase three requests later then has the same source. Memory is bounded to 32 MB: the
 * sessions used least recently are forgotten first, and all of them when the process ends.
 */
export class SessionArrivals {
  readonly #known = new LRUCache<string, Known>({
    maxSize: BYTES_MAX,
    sizeCalculation: ({ arrival }, key) => ENTRY_BYTES + 2 * (key.length + JSON.stringify(arrival).length),
  })

  /** Returns how a session began. A session without an id ends with a pause. `now`: ms since the epoch. */
  get(app: string, device: string, session: string | undefined, now: number): Arrival | undefined {
    const key = keyOf(app, device, session)
    const known = this.#known.get(key)
    if (known === undefined) return undefined
    if (session === undefined && now - known.usedAt >= limits.sessionPauseMs) {
      this.#known.delete(key)
      return undefined
    }
    known.usedAt = now
    return known.arrival
  }

  set(app: string, device: string, session: string | undefined, now: number, arrival: Arrival): void {
    // a copy: its texts may be parts of addresses that are as long as a body
    this.#known.set(keyOf(app, device, session), { arrival: structuredClone(arrival), usedAt: now })
  }
}

function keyOf(app: string, device: string, session = ''): string {
  return `${app}\n${device}\n${session}`
}
