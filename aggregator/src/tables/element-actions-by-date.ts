import { isByMouse } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/** Number of times that an interesting element was left or clicked after hovering by mouse, and the time until then. */
export const elementActionsByDate: CounterFold = {
  table: 'element_actions_by_date',
  fold: ({ event, context }, add) => {
    if (event.type !== 'btn_time' || !isByMouse(event, context)) return
    const weight = weightOf(event)
    const elapsed = weightedMs(event.elapsed_time, weight)
    add(
      [event.target],
      event.action === 'hover-then-leave' ? [weight, elapsed, 0, 0, weight] : [0, 0, weight, elapsed, weight],
    )
  },
}
