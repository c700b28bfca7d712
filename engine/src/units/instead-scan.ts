import { limits, queryLimits, type InsteadRequest, type InsteadResult, type Truncatable } from '@hopper/contracts'
import { compareValues } from '../funnel/funnel-answer.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { LaneInput } from '../funnel/scan/unit-scan.ts'
import { unlimitedBudget, type Budget } from '../scan/budget.ts'
import { CombinedPlan } from './combined-plan.ts'
import { NextPlaceScan, placePlan } from './journeys/next-place-scan.ts'
import { assertValidSelection, isSelected, OutcomeScan, type Outcome } from './outcome-scan.ts'
import { PlaceGroups } from './journeys/place-groups.ts'

/** Maximum number of places with their own count: further places count as `other` from the start. */
const PLACES_MAX = 200_000

/** Plan of a query about what people did instead: it reads the events of the funnel, views and clicks. */
export class InsteadPlan extends CombinedPlan {
  readonly funnel: FunnelPlan
  readonly views: FunnelPlan
  readonly clicks: FunnelPlan

  constructor({ step, outcome, groups: _, ...request }: InsteadRequest) {
    const funnel = new FunnelPlan(request)
    assertValidSelection(step, outcome, funnel.steps)
    const windowMs = funnel.windowMs + limits.sessionPauseMs
    const views = placePlan(request, funnel.unit, 'url_change', 'page', windowMs)
    const clicks = placePlan(request, funnel.unit, 'click', 'target', windowMs)
    super([funnel, views, clicks])
    this.funnel = funnel
    this.views = views
    this.clicks = clicks
  }
}

/**
 * Computes what those who took a step of a funnel, or did not, did after the last step that they took. All events of a
 * unit are in one lane, or shared until the end, so only those of one lane and shared ones are held by name.
 */
export class InsteadScan {
  readonly plan: InsteadPlan
  readonly withTieBreakers = true
  /** ties are broken from the start */
  readonly hasUnresolvedTies = false
  readonly #request: InsteadRequest
  readonly #outcomes: OutcomeScan
  readonly #views: NextPlaceScan
  readonly #clicks: NextPlaceScan
  /** when each unit took its last step, in ms, by name */
  readonly #last = new Map<string, number>()
  readonly #pages = new PlaceCounts()
  readonly #targets = new PlaceCounts()
  #people = 0

  constructor(request: InsteadRequest, context: QueryContext, budget: Budget = unlimitedBudget) {
    this.#request = request
    this.plan = new InsteadPlan(request)
    const { funnel, views, clicks } = this.plan
    const groups = new PlaceGroups(request.groups ?? [])
    this.#outcomes = new OutcomeScan(funnel, context, budget, (outcome) => this.#take(outcome))
    const common = { budget, after: (name: string) => this.#last.get(name) }
    this.#views = new NextPlaceScan({
      ...common,
      plan: views,
      elsewhere: true,
      placeOf: (page) => groups.placeOf(page),
      found: (place) => this.#pages.add(place),
    })
    this.#clicks = new NextPlaceScan({
      ...common,
      plan: clicks,
      elsewhere: false,
      placeOf: (target) => target,
      found: (place) => this.#targets.add(place),
    })
  }

  scanLane(lane: LaneInput): void {
    this.#outcomes.scanLane(lane)
    this.#views.scanLane(lane)
    this.#clicks.scanLane(lane)
    this.#last.clear()
  }

  /** Returns the answer; nothing can be scanned afterwards. */
  finish(): Truncatable<InsteadResult> {
    this.#outcomes.finish()
    this.#views.finish()
    this.#clicks.finish()
    const [pages, clicks] = [this.#pages, this.#targets].map((places) => places.rows())
    return {
      people: this.#people,
      pages: pages!,
      left: this.#people - this.#pages.users,
      clicks: clicks!,
      no_click: this.#people - this.#targets.users,
      ...([pages, clicks].some((rows) => rows!.at(-1)?.other) ? { truncated: true as const } : {}),
    }
  }

  #take(found: Outcome): void {
    const { step, outcome } = this.#request
    if (!isSelected(found, this.#request)) return
    this.#people++
    this.#last.set(found.who(), found.takenAt(outcome === 'reached' ? step : found.level))
  }
}

/** Counts users by place. */
class PlaceCounts {
  users = 0
  readonly #counts = new Map<string, number>()
  #rest = 0

  add(place: string): void {
    this.users++
    const known = this.#counts.get(place)
    if (known !== undefined || this.#counts.size < PLACES_MAX) this.#counts.set(place, (known ?? 0) + 1)
    else this.#rest++
  }

  /** Returns the most frequent places, then all others as one. */
  rows(): InsteadResult['pages'] {
    const rows = [...this.#counts].map(([value, users]) => ({ value, users }))
    rows.sort((a, b) => b.users - a.users || compareValues(a.value, b.value))
    const rest = rows.slice(queryLimits.breakdownValuesMax).reduce((sum, { users }) => sum + users, this.#rest)
    if (rest === 0) return rows
    return [...rows.slice(0, queryLimits.breakdownValuesMax), { value: 'other', users: rest, other: true }]
  }
}

/** Runs a complete query about what people did instead in this thread. */
export function queryInstead(
  request: InsteadRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<InsteadResult> {
  const scan = new InsteadScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
