import type { ListedFunnel } from '@hopper/contracts'
import type { PeopleOf } from '../funnel-question.ts'
import type { StageRow } from '../stage-rows.ts'

/** Properties of each tab of the panel: the number of a funnel that it explains. */
export interface PanelProps {
  readonly funnel: ListedFunnel
  readonly rows: readonly StageRow[]
  readonly of: PeopleOf
}
