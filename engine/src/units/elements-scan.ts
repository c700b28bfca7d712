import {
  queryLimits,
  type ElementsRequest,
  type ElementsResult,
  type Filter,
  type Truncatable,
} from '@hopper/contracts'
import { compareValues } from '../funnel/funnel-answer.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import { bucketAt, bucketStarts } from '../funnel/trend-buckets.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { CombinedPlan } from './combined-plan.ts'
import { HoverTally, type Hovers } from './hover-tally.ts'
import { OutcomeScan, sideOf } from './outcome-scan.ts'

const DURATION = 'elapsed_time'
/** Steps of the plan of actions. */
const LEFT = 1
const CLICKED = 2
const TAPPED = 3
/** Maximum number of counters of the trends of all elements: further elements are left out, and the answer says so. */
const TREND_CELLS_MAX = 4_000_000
/** Maximum number of elements that are counted separately. */
const ELEMENTS_MAX = 10_000

/** Actions of a unit on one element. */
interface Actions {
  readonly left: number[]
  readonly clicked: number[]
  taps: number
  /** when the hovers ended, in ms */
  readonly leftAt: number[]
  readonly clickedAt: number[]
}
type ActionsByElement = ReadonlyMap<string, Actions>

/** Plan of a query about all elements: it reads hovers and taps, and the events of the funnel if there is one. */
export class ElementsPlan extends CombinedPlan {
  readonly actions: FunnelPlan
  readonly funnel: FunnelPlan | undefined

  constructor({ from, to, hovers, taps, filters = [], count_by: unit, steps }: ElementsRequest) {
    const common = { from, to, filters, ...(unit ? { count_by: unit } : {}) }
    const ended = (
      name: string,
      filters: readonly Filter[],
      action: string,
    ): { name: string; filters: readonly Filter[] } => ({
      name,
      filters: [...filters, { type: 'eq', key: 'action', value: action }],
    })
    const all = [
      ended('left', hovers, 'hover-then-leave'),
      ended('clicked', hovers, 'hover-then-clicked'),
      ended('tapped', taps, 'hover-then-clicked'),
    ]
    const actions = new FunnelPlan({ ...common, steps: all, breakdown: DURATION, match: ['target'] }, 0)
    const funnel = steps && new FunnelPlan({ ...common, steps })
    super(funnel ? [actions, funnel] : [actions])
    this.actions = actions
    this.funnel = funnel
  }
}

/**
 * Computes for each element how people hover over it and tap it, and how those who completed a funnel differ from
 * those lost. All events of a unit are in one lane, or shared until the end, so only the actions of one lane and of
 * shared units are held by name.
 */
export class ElementsScan {
  readonly plan: ElementsPlan
  readonly withTieBreakers = true
  /** ties are broken from the start */
  readonly hasUnresolvedTies = false
  readonly #actions: ActionScan
  readonly #outcomes: OutcomeScan | undefined
  readonly #byName = new Map<string, ActionsByElement>()
  readonly #elements = new Map<string, ElementTally>()
  readonly #starts: Float64Array | undefined
  readonly #elementsMax: number
  #isCut = false

  constructor(request: ElementsRequest, context: QueryContext, budget: Budget = unlimitedBudget) {
    this.plan = new ElementsPlan(request)
    const { from, to, trend, linked } = request
    this.#starts = trend && bucketStarts(from, to, trend, context.timezone)
    const buckets = this.#starts ? this.#starts.length - 1 : 0
    this.#elementsMax =
      buckets === 0 ? ELEMENTS_MAX : Math.min(ELEMENTS_MAX, Math.floor(TREND_CELLS_MAX / (2 * buckets)))
    const { actions, funnel } = this.plan
    this.#actions = new ActionScan(actions, budget, new Map(linked), (found, who) => {
      for (const [xpath, done] of found) this.#tallyOf(xpath)?.add(done)
      if (funnel) this.#byName.set(who(), found)
    })
    this.#outcomes =
      funnel &&
      new OutcomeScan(funnel, context, budget, (outcome) => {
        const side = sideOf(outcome, undefined, funnel.steps)
        const found = side && this.#byName.get(outcome.who())
        if (found) for (const [xpath, done] of found) this.#tallyOf(xpath)?.addTo(side, done)
      })
  }

  scanLane(lane: LaneInput): void {
    this.#actions.scanLane(lane)
    this.#outcomes?.scanLane(lane)
    this.#byName.clear()
  }

  /** Returns the answer; nothing can be scanned afterwards. */
  finish(): Truncatable<ElementsResult> {
    this.#actions.finish()
    this.#outcomes?.finish()
    const all = [...this.#elements]
      .map(([xpath, tally]) => ({ xpath, ...tally.result(this.#outcomes !== undefined) }))
      .sort((a, b) => b.hovers + b.taps - a.hovers - a.taps || compareValues(a.xpath, b.xpath))
    const rows = all.slice(0, queryLimits.elementsMax)
    const times = this.#starts && { times: [...this.#starts.subarray(0, -1)] }
    return { rows, ...times, ...(this.#isCut || rows.length < all.length ? { truncated: true as const } : {}) }
  }

  #tallyOf(xpath: string): ElementTally | undefined {
    const known = this.#elements.get(xpath)
    if (known) return known
    if (this.#elements.size >= this.#elementsMax) {
      this.#isCut = true
      return undefined
    }
    const tally = new ElementTally(this.#starts)
    this.#elements.set(xpath, tally)
    return tally
  }
}

/** Adds up what people did with one element. */
class ElementTally {
  readonly #all = new HoverTally()
  readonly #sides = { went_on: new HoverTally(), lost: new HoverTally() }
  readonly #starts: Float64Array | undefined
  readonly #trend: { readonly hovers: number[]; readonly clicked: number[] } | undefined
  #taps = 0
  #tappedBy = 0

  constructor(starts: Float64Array | undefined) {
    this.#starts = starts
    const zeros = (): number[] => new Array<number>(starts!.length - 1).fill(0)
    this.#trend = starts && { hovers: zeros(), clicked: zeros() }
  }

  add({ left, clicked, taps, leftAt, clickedAt }: Actions): void {
    this.#taps += taps
    if (taps > 0) this.#tappedBy++
    addHovers(this.#all, { left, clicked })
    if (!this.#trend) return
    for (const time of [...leftAt, ...clickedAt]) this.#trend.hovers[bucketAt(this.#starts!, time)]!++
    for (const time of clickedAt) this.#trend.clicked[bucketAt(this.#starts!, time)]!++
  }

  addTo(side: 'went_on' | 'lost', { left, clicked }: Actions): void {
    addHovers(this.#sides[side], { left, clicked })
  }

  result(withSides: boolean): Omit<ElementsResult['rows'][number], 'xpath'> {
    return {
      ...this.#all.summary(),
      taps: this.#taps,
      tapped_by: this.#tappedBy,
      ...(withSides ? { went_on: this.#sides.went_on.summary(), lost: this.#sides.lost.summary() } : {}),
      ...(this.#trend ? { trend: this.#trend } : {}),
    }
  }
}

/** Adds the hovers of a unit, unless it only tapped. */
function addHovers(tally: HoverTally, hovers: Hovers): void {
  if (hovers.left.length + hovers.clicked.length > 0) tally.add(hovers)
}

/** Collects what each unit did, by element. */
class ActionScan extends UnitScan {
  readonly #linked: ReadonlyMap<string, string>
  readonly #found: (actions: ActionsByElement, who: () => string) => void

  /** `linked` has the current XPath for each past one. */
  constructor(
    plan: FunnelPlan,
    budget: Budget,
    linked: ReadonlyMap<string, string>,
    found: (actions: ActionsByElement, who: () => string) => void,
  ) {
    super(plan, budget)
    this.#linked = linked
    this.#found = found
  }

  finish(): void {
    this.finishShared()
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    const byElement = new Map<string, Actions>()
    for (let i = begin; i < end; i++) {
      const element = this.matches.names[rows.match[i]!]
      if (element === undefined) continue
      const steps = this.state.symbolSteps[rows.symbol[i]!]!
      const target = String((JSON.parse(element) as [unknown])[0])
      const xpath = this.#linked.get(target) ?? target
      const known = byElement.get(xpath)
      const actions = known ?? { left: [], clicked: [], taps: 0, leftAt: [], clickedAt: [] }
      if (!known) byElement.set(xpath, actions)
      const ms = Number(this.groups.values[rows.group[i]!])
      if (steps.includes(TAPPED)) actions.taps++
      if (steps.includes(LEFT)) {
        actions.left.push(ms)
        actions.leftAt.push(rows.time[i]!)
      } else if (steps.includes(CLICKED)) {
        actions.clicked.push(ms)
        actions.clickedAt.push(rows.time[i]!)
      }
    }
    if (byElement.size > 0) this.#found(byElement, who)
  }
}

/** Runs a complete query about all elements in this thread. */
export function queryElements(
  request: ElementsRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<ElementsResult> {
  const scan = new ElementsScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
