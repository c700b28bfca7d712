import type { VisitorFold } from './fold.ts'

/**
 * Visitors who entered a stage: as the tracker reports, or as an event implies, so that it also works for senders that
 * know nothing of funnels.
 */
export const stageUsersByDate: VisitorFold = {
  table: 'stage_users_by_date',
  fold: ({ event, stages }, put) => {
    if (event.type === 'funnel_change') put([event.funnel, event.entered])
    else if (stages) for (const { funnel, stage } of stages.of(event)) put([funnel, stage])
  },
}
