import type { CounterFold } from './fold.ts'

/** Average time in a stage: a funnel change that leaves a stage adds the time in it. */
export const stageTimeByDate: CounterFold = {
  table: 'stage_time_by_date',
  fold: ({ event }, add) => {
    if (event.type === 'funnel_change' && event.from !== undefined) add([event.funnel, event.from], [event.elapsed_time, 1])
  },
}
