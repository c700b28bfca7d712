import { isView } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'
import { weightOf } from './weight.ts'

/** Deltas of an ordinary event and of a page view. */
const EVENT = [1, 0]
const VIEW = [1, 1]

/** Events and page views per hour. */
export const activityByDate: CounterFold = {
  table: 'activity_by_date',
  fold: ({ event, hour, page }, add) => {
    const weight = weightOf(event)
    const deltas = isView(event, page) ? VIEW : EVENT
    add([hour], weight === 1 ? deltas : deltas.map((delta) => delta * weight))
  },
}
