import type { Apps } from '@hopper/contracts'
import type { DateRange } from './date-range.ts'
import type { CountBy } from './view.ts'

export type AppView = Apps['apps'][number]

/** What the reports of a page are about. */
export interface Scope {
  readonly app: AppView
  readonly range: DateRange
  /** whether new events can still change the answers, so that pages ask again by themselves */
  readonly live: boolean
  readonly countBy: CountBy
}
