import { isByMouse } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/**
 * Counts hovers by mouse over interesting elements by how they ended, in leaving or in a click, and sums their
 * durations in ms.
 */
export const elementActionsByDate: CounterFold = {
  table: 'element_actions_by_date',
  fold: ({ event, context }, add) => {
    if (event.type !== 'btn_time' || !isByMouse(event, context)) return
    const weight = weightOf(event)
    const elapsed = weightedMs(event.elapsed_time, weight)
    // hovers and ms before leaving, hovers and ms before a click, all hovers
    add(
      [event.target],
      event.action === 'hover-then-leave' ? [weight, elapsed, 0, 0, weight] : [0, 0, weight, elapsed, weight],
    )
  },
}
