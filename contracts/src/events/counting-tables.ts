import type { StageMatcher } from '../stages/stage-matcher.ts'
import type { Context } from './envelope.ts'
import type { Event } from './event.ts'
import { isByMouse } from './is-by-mouse.ts'
import { isView, measuresTime } from './page-view.ts'

/** The facts that decide which tables count an event, besides the event itself. */
export interface CountingRules {
  readonly context: Context
  /** returns a URL as the app stores it */
  readonly page: (url: string) => string
  /** the stages of the app's funnels */
  readonly stages?: Pick<StageMatcher, 'of'>
}

/**
 * Lists the tables of counters and of visitors to which an event adds, given that it counts (accepted or late). It is
 * the same decision as the folds of the aggregator, without folding: `aggregator/src/tables/tables.test.ts` compares
 * both.
 */
export function countingTables(event: Event, { context, page, stages }: CountingRules): string[] {
  const tables = ['activity_by_date', 'users_by_date']
  if (context.device || context.browser || context.os || context.country) tables.push('agents_by_date')
  switch (event.type) {
    case 'click':
      tables.push('clicks_by_date')
      break
    case 'url_change':
      if (isView(event, page) || measuresTime(event, page)) tables.push('page_views_by_date')
      break
    case 'btn_time':
      if (isByMouse(event, context)) tables.push('element_actions_by_date', 'element_durations_by_date')
      break
    case 'funnel_change':
      tables.push('stage_users_by_date', 'stage_edges_by_date')
      if (event.from !== undefined) tables.push('stage_time_by_date')
      break
    default:
  }
  if (stages && stages.of(event).length > 0) tables.push('stage_users_by_date')
  return tables.sort()
}
