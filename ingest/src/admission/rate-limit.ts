import { LRUCache } from 'lru-cache'

/** Sustained rates that one key may send to this process, per second. `Infinity` means unlimited. */
export interface Rates {
  readonly requests: number
  /** costly events count as several, see `costOf` */
  readonly events: number
  /** bytes of bodies, after decompression */
  readonly bytes: number
}

/** Returns a share of rates, in percent. */
export function shareOf({ requests, events, bytes }: Rates, percent: number): Rates {
  return { requests: (requests * percent) / 100, events: (events * percent) / 100, bytes: (bytes * percent) / 100 }
}

/** Cost of a request, in addition to counting as one request. */
export interface RequestCost {
  readonly events: number
  readonly bytes: number
}

/** Rate that a key has used up, and the whole seconds until it may send again. */
export interface RateExceeded {
  readonly rate: keyof Rates
  readonly seconds: number
}

const BURST_SECONDS = 2
const KEYS_MAX = 10_000
const names = ['requests', 'events', 'bytes'] as const satisfies readonly (keyof Rates)[]
const unlimited: Rates = { requests: Infinity, events: Infinity, bytes: Infinity }

interface Bucket {
  /** remaining tokens per rate; negative when the last request was larger than the rest */
  readonly tokens: Record<keyof Rates, number>
  filledAt: number
}

/**
 * Limits what a key, or an address, sends by token buckets: its sustained rates, with bursts of two seconds' worth. A
 * request is admitted before its body is read and charged afterwards, when its events and bytes are known; both steps
 * refuse while a bucket is empty. A charge may leave a debt of at most one request, so a request larger than a bucket
 * passes now and then instead of never. Memory is bounded: beyond 10,000 keys, the least recently used start again with
 * full buckets.
 */
export class RateLimit {
  readonly #rates: Rates
  readonly #buckets = new LRUCache<string, Bucket>({ max: KEYS_MAX })

  constructor(rates: Rates = unlimited) {
    this.#rates = rates
  }

  /**
   * Takes one request of a key at `now` (ms, ascending), before its body is read. Returns undefined when it may pass.
   */
  admit(key: string, now: number): RateExceeded | undefined {
    return this.#take(key, { requests: 1 }, now)
  }

  /** Takes the cost of an admitted request. Returns undefined when it may pass; otherwise nothing is taken. */
  charge(key: string, cost: RequestCost, now: number): RateExceeded | undefined {
    return this.#take(key, cost, now)
  }

  #take(key: string, cost: Partial<Rates>, now: number): RateExceeded | undefined {
    const { tokens } = this.#filled(key, now)
    const charged = names.filter((name) => cost[name] !== undefined)
    // A key that has used up any rate is refused before the body is read; afterwards, only the rates of the body count.
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
