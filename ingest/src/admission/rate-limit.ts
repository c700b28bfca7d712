import { LRUCache } from 'lru-cache'

/** What one key may send to this process each second, over time. Unlimited where it is `Infinity`. */
export interface Rates {
  readonly requests: number
  /** costly events count as several, see `costOf` */
  readonly events: number
  /** of bodies, after decompression */
  readonly bytes: number
}

/** What a request costs beside being a request. */
export interface RequestCost {
  readonly events: number
  readonly bytes: number
}

/** A rate that a key has used up, and the whole seconds until it may send again. */
export interface RateExceeded {
  readonly rate: keyof Rates
  readonly seconds: number
}

const BURST_SECONDS = 2
const KEYS_MAX = 10_000
const names = ['requests', 'events', 'bytes'] as const satisfies readonly (keyof Rates)[]
const unlimited: Rates = { requests: Infinity, events: Infinity, bytes: Infinity }

interface Bucket {
  /** what may still be sent of each; below zero when the last request was larger than what was left */
  readonly tokens: Record<keyof Rates, number>
  filledAt: number
}

/**
 * Limits what a key sends by token buckets: its rates over time, and what they give in two seconds at once. A request
 * is admitted before its body is read and charged afterwards, when its events and bytes are known; both refuse while a
 * bucket is empty. A charge may leave a debt of at most one request, so a request larger than a bucket is let in now
 * and then instead of never. Memory is bounded: of more than 10,000 keys, the least recently used begin with full
 * buckets again.
 */
export class RateLimit {
  readonly #rates: Rates
  readonly #buckets = new LRUCache<string, Bucket>({ max: KEYS_MAX })

  constructor(rates: Rates = unlimited) {
    this.#rates = rates
  }

  /** Takes one request of a key at `now` (ms, ascending), before its body is read. Undefined when it may pass. */
  admit(key: string, now: number): RateExceeded | undefined {
    return this.#take(key, { requests: 1 }, now)
  }

  /** Takes what an admitted request turned out to hold. Undefined when it may pass; else nothing is taken. */
  charge(key: string, cost: RequestCost, now: number): RateExceeded | undefined {
    return this.#take(key, cost, now)
  }

  #take(key: string, cost: Partial<Rates>, now: number): RateExceeded | undefined {
    const { tokens } = this.#filled(key, now)
    const charged = names.filter((name) => cost[name] !== undefined)
    // Who has used up any rate is refused before a body is read; what a body holds is charged for what it is.
    const empty = (cost.requests === undefined ? charged : names).find((name) => tokens[name] <= 0)
    if (empty !== undefined)
      return { rate: empty, seconds: Math.max(1, Math.ceil(-tokens[empty] / this.#rates[empty])) }
    for (const name of charged) tokens[name] -= cost[name]!
    return undefined
  }

  #filled(key: string, now: number): Bucket {
    let bucket = this.#buckets.get(key)
    if (!bucket) {
      const { requests, events, bytes } = this.#rates
      const tokens = {
        requests: requests * BURST_SECONDS,
        events: events * BURST_SECONDS,
        bytes: bytes * BURST_SECONDS,
      }
      this.#buckets.set(key, (bucket = { tokens, filledAt: now }))
    }
    const seconds = (now - bucket.filledAt) / 1_000
    if (seconds <= 0) return bucket
    for (const name of names) {
      const rate = this.#rates[name]
      bucket.tokens[name] = Math.min(rate * BURST_SECONDS, bucket.tokens[name] + seconds * rate)
    }
    bucket.filledAt = now
    return bucket
  }
}
