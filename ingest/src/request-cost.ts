import { Dropped, type Incoming } from './incoming.ts'
import type { RequestCost } from './rate-limit.ts'

const DAY_MS = 86_400_000
/** Dates before are over: their tables are touched by nobody else, so each costs what a batch of its own costs. */
const RECENT_MS = 8 * DAY_MS
const EVENTS_PER_PAST_DATE = 10
const VALUES_PER_EVENT = 8

/**
 * What a request costs those who count it, in ordinary events: an event counts once, and once more for each eight values of `data` beyond the first eight;
 * each date of the past that the request names counts as ten (decision 0019 has the measurements).
 */
export function costOf(results: readonly (Incoming | Dropped)[], bytes: number): RequestCost {
  let events = results.length
  let pastDates: Set<number> | undefined
  for (const result of results) {
    if (result instanceof Dropped) continue
    const { timestamp, batch, event } = result
    if (event !== undefined && 'data' in event && event.data) {
      events += Math.floor(Math.max(0, Object.keys(event.data).length - 1) / VALUES_PER_EVENT)
    }
    if (timestamp < batch.received_at - RECENT_MS) (pastDates ??= new Set()).add(Math.floor(timestamp / DAY_MS))
  }
  return { events: events + EVENTS_PER_PAST_DATE * (pastDates?.size ?? 0), bytes }
}
