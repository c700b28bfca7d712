import type { VisitorFold } from './fold.ts'

/** Who entered a stage. */
export const stageUsersByDate: VisitorFold = {
  table: 'stage_users_by_date',
  fold: ({ event }, put) => {
    if (event.type === 'funnel_change') put([event.funnel, event.entered])
  },
}
