import { Dropped, type Incoming } from '../batch/incoming.ts'
import type { RequestCost } from './rate-limit.ts'

const DAY_MS = 86_400_000
/**
 * Dates before this are past: hardly any other events touch their tables, so each date costs as much as a batch of its
 * own.
 */
const RECENT_MS = 8 * DAY_MS
const EVENTS_PER_PAST_DATE = 10
const VALUES_PER_EVENT = 8

/** Up to this number, the distinct keys of one request get columns of their own; more than that indicate a flood. */
const KEYS_FREE = 192
const KEYS_PER_EVENT = 8

/**
 * Returns the cost of counting a request, in ordinary events. An event costs one, plus one for each eight values of
 * `data` beyond the first eight. The distinct keys of `data` beyond 192 cost one for each eight. Each past date in the
 * request costs ten (decision 0019 has the measurements).
 */
export function costOf(results: readonly (Incoming | Dropped)[], bytes: number): RequestCost {
  let events = results.length
  let pastDates: Set<number> | undefined
  let keys: Set<string> | undefined
  for (const result of results) {
    if (result instanceof Dropped) continue
    const { timestamp, batch, event } = result
    if (event !== undefined && 'data' in event && event.data) {
      const names = Object.keys(event.data)
      events += Math.floor(Math.max(0, names.length - 1) / VALUES_PER_EVENT)
      // A few keys per event cannot add up to many, so most requests need no scan.
      if (names.length * results.length > KEYS_FREE) for (const key of names) (keys ??= new Set()).add(key)
    }
    if (timestamp < batch.received_at - RECENT_MS) (pastDates ??= new Set()).add(Math.floor(timestamp / DAY_MS))
  }
  const keyCost = Math.floor(Math.max(0, (keys?.size ?? 0) - KEYS_FREE) / KEYS_PER_EVENT)
  return { events: events + keyCost + EVENTS_PER_PAST_DATE * (pastDates?.size ?? 0), bytes }
}
