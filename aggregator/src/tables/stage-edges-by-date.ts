import type { VisitorFold } from './fold.ts'

/** `from_stage` of an entry from outside the funnel. */
export const OUTSIDE = -1

/** Visitors who moved from one stage to another. */
export const stageEdgesByDate: VisitorFold = {
  table: 'stage_edges_by_date',
  fold: ({ event }, put) => {
    if (event.type === 'funnel_change') put([event.funnel, event.from ?? OUTSIDE, event.entered])
  },
}
