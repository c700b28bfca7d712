import type { CounterFold } from './fold.ts'

/** Events and page views per hour. */
export const activityByDate: CounterFold = {
  table: 'activity_by_date',
  fold: ({ event, hour }, add) => add([hour], [1, event.type === 'url_change' && event.to !== '' ? 1 : 0]),
}
