import type { VisitorFold } from './fold.ts'

/**
 * Who entered a stage: by what the tracker says, and by what an event means, so that it also holds for senders that
 * know nothing of funnels.
 */
export const stageUsersByDate: VisitorFold = {
  table: 'stage_users_by_date',
  fold: ({ event, stages }, put) => {
    if (event.type === 'funnel_change') put([event.funnel, event.entered])
    else if (stages) for (const { funnel, stage } of stages.of(event)) put([funnel, stage])
  },
}
