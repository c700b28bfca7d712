import type { Apps } from '@hopper/contracts'
import type { DateRange } from './date-range.ts'
import type { CountBy } from './view.ts'

export type AppView = Apps['apps'][number]

/** The scope of the reports on a page. */
export interface Scope {
  readonly app: AppView
  readonly range: DateRange
  /** true if new events can still change the answers, so that pages poll */
  readonly live: boolean
  readonly countBy: CountBy
}
