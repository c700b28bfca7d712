import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/** Clicks per target of a page, and the time since the previous click. */
export const clicksByDate: CounterFold = {
  table: 'clicks_by_date',
  fold: ({ event, page }, add) => {
    if (event.type !== 'click') return
    const weight = weightOf(event)
    add([page(event.current_url), event.target], [weight, weightedMs(event.elapsed_time, weight)])
  },
}
