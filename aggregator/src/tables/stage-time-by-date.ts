import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/** Time in a stage, for its average: a funnel change that leaves a stage adds the time spent in it. */
export const stageTimeByDate: CounterFold = {
  table: 'stage_time_by_date',
  fold: ({ event }, add) => {
    if (event.type !== 'funnel_change' || event.from === undefined) return
    const weight = weightOf(event)
    add([event.funnel, event.from], [weightedMs(event.elapsed_time, weight), weight])
  },
}
