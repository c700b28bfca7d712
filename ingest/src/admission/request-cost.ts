import { Dropped, type Incoming } from '../batch/incoming.ts'
import type { RequestCost } from './rate-limit.ts'

const DAY_MS = 86_400_000
/** Dates before are over: their tables are touched by nobody else, so each costs what a batch of its own costs. */
const RECENT_MS = 8 * DAY_MS
const EVENTS_PER_PAST_DATE = 10
const VALUES_PER_EVENT = 8

/** Distinct keys of one request up to here have columns of their own; more are what a flood is made of. */
const KEYS_FREE = 192
const KEYS_PER_EVENT = 8

/**
 * What a request costs those who count it, in ordinary events: an event counts once, and once more for each eight
 * values of `data` beyond the first eight; the distinct keys of `data` beyond 192 count as one for each eight; each
 * date of the past that the request names counts as ten (decision 0019 has the measurements).
 */
export function costOf(results: readonly (Incoming | Dropped)[], bytes: number): RequestCost {
  let events = results.length
  let pastDates: Set<number> | undefined
  let keys: Set<string> | undefined
  for (const result of results) {
    if (result instanceof Dropped) continue
    const { timestamp, batch, event } = result
    if (event !== undefined && 'data' in event && event.data) {
      const own = Object.keys(event.data)
      events += Math.floor(Math.max(0, own.length - 1) / VALUES_PER_EVENT)
      // A few keys an event cannot come to many, so that most requests are not looked through.
      if (own.length * results.length > KEYS_FREE) for (const key of own) (keys ??= new Set()).add(key)
    }
    if (timestamp < batch.received_at - RECENT_MS) (pastDates ??= new Set()).add(Math.floor(timestamp / DAY_MS))
  }
  const keyCost = Math.floor(Math.max(0, (keys?.size ?? 0) - KEYS_FREE) / KEYS_PER_EVENT)
  return { events: events + keyCost + EVENTS_PER_PAST_DATE * (pastDates?.size ?? 0), bytes }
}
