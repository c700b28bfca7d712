import type { DropCause, PeoplePlace, PeopleRequest } from '@hopper/contracts'
import { invalid } from '../filter/parse-filters.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { LaneInput } from '../funnel/scan/unit-scan.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { CombinedPlan } from './combined-plan.ts'
import { assertValidSelection, isSelected, OutcomeScan, type Outcome } from './outcome-scan.ts'

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

/** Plan of the funnel of a query for people, by which those of a page are found. */
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

/**
 * Finds a page of the people who took a step of a funnel, or did not: who began last is first. Only the people of the
 * page are held, whatever their number.
 */
export class PeopleScan {
  readonly plan: FoundPlan
  readonly withTieBreakers = true
  readonly #request: PeopleRequest
  readonly #outcomes: OutcomeScan
  #total = 0
  #kept: FoundPerson[] = []
  /** the last person that may still be on the page, once there are enough */
  #bound: PeoplePlace | undefined

  constructor(request: PeopleRequest, context: QueryContext, budget: Budget = unlimitedBudget) {
    this.#request = request
    this.plan = new FoundPlan(request)
    this.#outcomes = new OutcomeScan(this.plan.funnel, context, budget, (outcome) => this.#take(outcome))
  }

  scanLane(lane: LaneInput): void {
    this.#outcomes.scanLane(lane)
  }

  /** Returns the page; nothing can be scanned afterwards. */
  finish(): FoundPeople {
    this.#outcomes.finish()
    this.#cut()
    const { limit } = this.#request
    return { total: this.#total, people: this.#kept.slice(0, limit), more: this.#kept.length > limit }
  }

  #take(outcome: Outcome): void {
    const { value, after, limit } = this.#request
    if (!isSelected(outcome, this.#request)) return
    if (value !== undefined && outcome.first() !== value) return
    this.#total++
    const entered = outcome.takenAt(1)
    // names are texts that are made for this, so only for those who may be on the page
    if ((after && entered > after.entered_at) || (this.#bound && entered < this.#bound.entered_at)) return
    const place = { entered_at: entered, id: outcome.who() }
    if (after && comparePeople(place, after) <= 0) return
    if (this.#bound && comparePeople(place, this.#bound) > 0) return
    const { level, cause = null } = outcome
    this.#kept.push({ ...place, steps: level, cause, stepAt: outcome.takenAt(level) })
    if (this.#kept.length >= 2 * limit + 64) this.#cut()
  }

  #cut(): void {
    const wanted = this.#request.limit + 1
    this.#kept = this.#kept.sort(comparePeople).slice(0, wanted)
    if (this.#kept.length === wanted) this.#bound = this.#kept.at(-1)
  }
}

/** Orders people by when they began, the last first. */
function comparePeople(a: PeoplePlace, b: PeoplePlace): number {
  return b.entered_at - a.entered_at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
