import type { Filter, HesitationRequest, HesitationResult } from '@hopper/contracts'
import { invalid } from '../filter/parse-filters.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { CombinedPlan } from './combined-plan.ts'
import { HoverTally, type Hovers } from './hover-tally.ts'
import { OutcomeScan, sideOf } from './outcome-scan.ts'

const DURATION = 'elapsed_time'
/** Steps of the plan of hovers. */
const LEFT = 1
const CLICKED = 2

/** Plan of a query about hesitation: it reads hovers, and the events of the funnel if there is one. */
export class HesitationPlan extends CombinedPlan {
  readonly hovers: FunnelPlan
  readonly funnel: FunnelPlan | undefined

  constructor({ from, to, hovers, filters = [], count_by: unit, steps, step }: HesitationRequest) {
    const common = { from, to, filters, ...(unit ? { count_by: unit } : {}) }
    const ended = (name: string, action: string): { name: string; filters: readonly Filter[] } => ({
      name,
      filters: [...hovers, { type: 'eq', key: 'action', value: action }],
    })
    const both = [ended('left', 'hover-then-leave'), ended('clicked', 'hover-then-clicked')]
    const ofHovers = new FunnelPlan({ ...common, steps: both, breakdown: DURATION }, 0)
    const ofFunnel = steps && new FunnelPlan({ ...common, steps })
    super(ofFunnel ? [ofHovers, ofFunnel] : [ofHovers])
    this.hovers = ofHovers
    this.funnel = ofFunnel
    if (step !== undefined && !(steps && step <= steps.length)) throw invalid('step', 'must be one of the funnel')
  }
}

/**
 * Computes how people hover, and how those who went on in a funnel differ in it from those lost. All events of a unit
 * are in one lane, or shared until the end, so only the hovers of one lane and of shared units are held by name.
 */
export class HesitationScan {
  readonly plan: HesitationPlan
  readonly withTieBreakers = true
  /** ties are broken from the start */
  readonly hasUnresolvedTies = false
  readonly #hovers: HoverScan
  readonly #outcomes: OutcomeScan | undefined
  readonly #byName = new Map<string, Hovers>()
  readonly #all = new HoverTally()
  readonly #sides = { went_on: new HoverTally(), lost: new HoverTally() }

  constructor(request: HesitationRequest, context: QueryContext, budget: Budget = unlimitedBudget) {
    this.plan = new HesitationPlan(request)
    const { hovers, funnel } = this.plan
    this.#hovers = new HoverScan(hovers, budget, (found, who) => {
      this.#all.add(found)
      if (funnel) this.#byName.set(who(), found)
    })
    this.#outcomes =
      funnel &&
      new OutcomeScan(funnel, context, budget, (outcome) => {
        const side = sideOf(outcome, request.step, funnel.steps)
        const found = side && this.#byName.get(outcome.who())
        if (found) this.#sides[side].add(found)
      })
  }

  scanLane(lane: LaneInput): void {
    this.#hovers.scanLane(lane)
    this.#outcomes?.scanLane(lane)
    this.#byName.clear()
  }

  /** Returns the answer; nothing can be scanned afterwards. */
  finish(): HesitationResult {
    this.#hovers.finish()
    this.#outcomes?.finish()
    if (!this.#outcomes) return this.#all.result()
    return { ...this.#all.result(), went_on: this.#sides.went_on.result(), lost: this.#sides.lost.result() }
  }
}

/** Collects the hovers of each unit. */
class HoverScan extends UnitScan {
  readonly #found: (hovers: Hovers, who: () => string) => void

  constructor(plan: FunnelPlan, budget: Budget, found: (hovers: Hovers, who: () => string) => void) {
    super(plan, budget)
    this.#found = found
  }

  finish(): void {
    this.finishShared()
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    const { symbolSteps } = this.state
    const hovers = { left: [] as number[], clicked: [] as number[] }
    for (let i = begin; i < end; i++) {
      const steps = symbolSteps[rows.symbol[i]!]!
      const ms = Number(this.groups.values[rows.group[i]!])
      if (steps.includes(LEFT)) hovers.left.push(ms)
      else if (steps.includes(CLICKED)) hovers.clicked.push(ms)
    }
    if (hovers.left.length + hovers.clicked.length > 0) this.#found(hovers, who)
  }
}

/** Runs a complete query about hesitation in this thread. */
export function queryHesitation(
  request: HesitationRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): HesitationResult {
  const scan = new HesitationScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
