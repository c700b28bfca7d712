import type { CounterFold } from './fold.ts'
import { weightedMs, weightOf } from './weight.ts'

/** Average time in a stage: a funnel change that leaves a stage adds the time in it. */
export const stageTimeByDate: CounterFold = {
  table: 'stage_time_by_date',
  fold: ({ event }, add) => {
    if (event.type !== 'funnel_change' || event.from === undefined) return
    const weight = weightOf(event)
    add([event.funnel, event.from], [weightedMs(event.elapsed_time, weight), weight])
  },
}
