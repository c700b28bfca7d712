import type { DropCause, PeoplePlace, PeopleRequest } from '@hopper/contracts'
import { invalid } from '../../filter/parse-filters.ts'
import type { QueryContext } from '../../funnel/funnel-tally.ts'
import { FunnelPlan } from '../../funnel/plan/funnel-plan.ts'
import type { LaneInput } from '../../funnel/scan/unit-scan.ts'
import { unlimitedBudget, type Budget } from '../../scan/budget.ts'
import { CombinedPlan } from '../combined-plan.ts'
import { assertValidSelection, isSelected, OutcomeScan, type Outcome } from '../outcome-scan.ts'
import { PeoplePage } from './people-page.ts'

/** One of the people behind a number, as the events of the funnel describe them. */
export interface FoundPerson extends PeoplePlace {
  /** steps that were taken */
  readonly steps: number
  /** null for those who took all steps */
  readonly cause: DropCause | null
  /** when the last step was taken, in ms */
  readonly stepAt: number
}

export interface FoundPeople {
  /** people of all pages */
  readonly total: number
  readonly people: readonly FoundPerson[]
  /** true if more people follow */
  readonly more: boolean
}

/** Plan of the funnel of a query for people, which finds the people of a page. */
export class FoundPlan extends CombinedPlan {
  readonly funnel: FunnelPlan

  constructor({ step, outcome, value, ...request }: PeopleRequest) {
    const funnel = new FunnelPlan(request)
    assertValidSelection(step, outcome, funnel.steps)
    if (value !== undefined && request.breakdown === undefined)
      throw invalid('value', 'needs a `breakdown` of which it is a value')
    super([funnel])
    this.funnel = funnel
  }
}

/** Finds a page of the people who took a step of a funnel, or did not, the latest start first. */
export class PeopleScan {
  readonly plan: FoundPlan
  readonly withTieBreakers = true
  readonly #request: PeopleRequest
  readonly #outcomes: OutcomeScan
  readonly #page: PeoplePage<FoundPerson>

  constructor(request: PeopleRequest, context: QueryContext, budget: Budget = unlimitedBudget) {
    this.#request = request
    this.#page = new PeoplePage(request)
    this.plan = new FoundPlan(request)
    this.#outcomes = new OutcomeScan(this.plan.funnel, context, budget, (outcome) => this.#take(outcome))
  }

  scanLane(lane: LaneInput): void {
    this.#outcomes.scanLane(lane)
  }

  /** Returns the page; nothing can be scanned afterwards. */
  finish(): FoundPeople {
    this.#outcomes.finish()
    return this.#page.finish()
  }

  #take(outcome: Outcome): void {
    const { value } = this.#request
    if (!isSelected(outcome, this.#request)) return
    if (value !== undefined && outcome.first() !== value) return
    const entered = outcome.takenAt(1)
    this.#page.add(entered, () => {
      const { level, cause = null } = outcome
      return { entered_at: entered, id: outcome.who(), steps: level, cause, stepAt: outcome.takenAt(level) }
    })
  }
}
