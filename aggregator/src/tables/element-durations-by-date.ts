import { durationBucket, isByMouse } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'
import { weightOf } from './weight.ts'

/** Durations of hovering by mouse until the element is left or clicked, in log-scaled buckets. */
export const elementDurationsByDate: CounterFold = {
  table: 'element_durations_by_date',
  fold: ({ event, context }, add) => {
    if (event.type !== 'btn_time' || !isByMouse(event, context)) return
    add([event.target, event.action, durationBucket(event.elapsed_time)], [weightOf(event)])
  },
}
