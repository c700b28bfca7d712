import { activityByDate } from './activity-by-date.ts'
import { agentsByDate } from './agents-by-date.ts'
import { clicksByDate } from './clicks-by-date.ts'
import { elementActionsByDate } from './element-actions-by-date.ts'
import { elementDurationsByDate } from './element-durations-by-date.ts'
import type { CounterFold, VisitorFold } from './fold.ts'
import { pageViewsByDate } from './page-views-by-date.ts'
import { stageEdgesByDate } from './stage-edges-by-date.ts'
import { stageTimeByDate } from './stage-time-by-date.ts'
import { stageUsersByDate } from './stage-users-by-date.ts'
import { usersByDate } from './users-by-date.ts'

/** All counter tables that counted events feed. `fates_by_date` is fed by all events; see `fold-batch.ts`. */
export const counterFolds: readonly CounterFold[] = [
  stageTimeByDate,
  elementActionsByDate,
  elementDurationsByDate,
  pageViewsByDate,
  clicksByDate,
  activityByDate,
]

/** All visitor tables. */
export const visitorFolds: readonly VisitorFold[] = [stageUsersByDate, stageEdgesByDate, usersByDate, agentsByDate]
