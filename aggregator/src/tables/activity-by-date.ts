import type { CounterFold } from './fold.ts'

/** What an event adds, and a page view. */
const EVENT = [1, 0]
const VIEW = [1, 1]

/** Events and page views per hour. */
export const activityByDate: CounterFold = {
  table: 'activity_by_date',
  fold: ({ event, hour }, add) => add([hour], event.type === 'url_change' && event.to !== '' ? VIEW : EVENT),
}
