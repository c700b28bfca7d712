import type { CounterFold } from './fold.ts'

/** How often an interesting element was left or clicked after hovering, and after how long. */
export const elementActionsByDate: CounterFold = {
  table: 'element_actions_by_date',
  fold: ({ event }, add) => {
    if (event.type !== 'btn_time') return
    add([event.target], event.action === 'hover-then-leave' ? [1, event.elapsed_time, 0, 0, 1] : [0, 0, 1, event.elapsed_time, 1])
  },
}
