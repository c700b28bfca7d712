import type { CounterFold } from './fold.ts'

/** Views of the page that was entered; time on the page that was left, when the tracker knows one. */
export const pageViewsByDate: CounterFold = {
  table: 'page_views_by_date',
  fold: ({ event, page }, add) => {
    if (event.type !== 'url_change') return
    if (event.to !== '') add([page(event.to)], [1, 0, 0])
    if (event.from !== '') add([page(event.from)], [0, event.elapsed_time, 1])
  },
}
