import { LRUCache } from 'lru-cache'

/** A rate that holds over time, and what may come at once. */
export interface Rate {
  readonly requestsPerSecond: number
  readonly burstRequests: number
}

// Far beyond any site: the default only stops a loop gone wild.
const defaultRate: Rate = { requestsPerSecond: 20_000, burstRequests: 40_000 }
const BUCKETS_MAX = 10_000

interface Bucket {
  tokens: number
  filledAt: number
}

/** A token bucket for each key. Memory is bounded: of more keys than that, the least recently used begin with a full bucket again. */
export class RateLimit {
  readonly #rate: Rate
  readonly #buckets = new LRUCache<string, Bucket>({ max: BUCKETS_MAX })

  constructor(rate: Rate = defaultRate) {
    this.#rate = rate
  }

  /** Takes one request of a key at `now` (ms, ascending): 0 when it may pass, else the whole seconds to wait. */
  secondsToWait(key: string, now: number): number {
    const { requestsPerSecond, burstRequests } = this.#rate
    let bucket = this.#buckets.get(key)
    if (!bucket) this.#buckets.set(key, (bucket = { tokens: burstRequests, filledAt: now }))
    bucket.tokens = Math.min(burstRequests, bucket.tokens + (Math.max(0, now - bucket.filledAt) / 1000) * requestsPerSecond)
    bucket.filledAt = now
    if (bucket.tokens < 1) return Math.max(1, Math.ceil((1 - bucket.tokens) / requestsPerSecond))
    bucket.tokens -= 1
    return 0
  }
}
