import type { CounterFold } from './fold.ts'

/** Clicks per target of a page, and the time since the click before. */
export const clicksByDate: CounterFold = {
  table: 'clicks_by_date',
  fold: ({ event, page }, add) => {
    if (event.type === 'click') add([page(event.current_url), event.target], [1, event.elapsed_time])
  },
}
