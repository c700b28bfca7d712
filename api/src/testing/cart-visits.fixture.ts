import type { Event } from '@hopper/contracts'
import { ownEvent } from './counted-log.ts'

/** so long ago that nobody is deciding any more */
const T0 = Date.UTC(2026, 2, 10, 9)
const MINUTE_MS = 60_000

/** Dates around those of all events. */
export const range = { from: '2026-03-09', to: '2026-03-11' }

/** The steps of a funnel from the cart to the payment. */
export const steps = ['/cart', '/paid'].map((page) => ({
  name: page,
  filters: [{ type: 'eq', key: 'page', value: `shop.example${page}` }],
}))

let count = 0

/** Builds an event with an id of its own, some minutes after the first. */
export function eventAt(minute: number, fields: Parameters<typeof ownEvent>[2]): Event {
  return ownEvent(`e${count++}`, timeAt(minute), fields)
}

export function viewed(page: string, minute: number): Event {
  return eventAt(minute, { type: 'url_change', from: '', to: `https://shop.example${page}`, elapsed_time: 0 })
}

/** ms since the epoch */
export function timeAt(minute: number): number {
  return T0 + minute * MINUTE_MS
}
