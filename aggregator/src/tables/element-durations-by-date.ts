import { durationBucket } from '@hopper/contracts'
import type { CounterFold } from './fold.ts'

/** How long people hover before they leave or click, in log-scaled buckets. */
export const elementDurationsByDate: CounterFold = {
  table: 'element_durations_by_date',
  fold: ({ event }, add) => {
    if (event.type === 'btn_time') add([event.target, event.action, durationBucket(event.elapsed_time)], [1])
  },
}
