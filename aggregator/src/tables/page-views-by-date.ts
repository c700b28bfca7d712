import { measuresTime, staysOnPage } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/**
 * Views of the page that was entered, and time on the page that was left when the tracker knows it. A URL change that
 * stays on the page is not a view, and its time belongs to the visit that continues.
 */
export const pageViewsByDate: CounterFold = {
  table: 'page_views_by_date',
  fold: ({ event, page }, add) => {
    if (event.type !== 'url_change') return
    const { from, to } = event
    const weight = weightOf(event)
    const elapsed = weightedMs(event.elapsed_time, weight)
    const stays = to !== '' && staysOnPage(from, to, page)
    if (to !== '' && !stays) add([page(to)], [weight, 0, 0])
    if (measuresTime(event, page)) add([page(from)], [0, elapsed, stays ? 0 : weight])
  },
}
