import { dropCauses, type DropCause, type FunnelRequest, type FunnelResult } from '@hopper/contracts'
import { endless, type Budget } from '../scan/budget.ts'
import { Attempt } from './attempt.ts'
import { FirstAttempts } from './first-attempts.ts'
import { funnelAnswer } from './funnel-answer.ts'
import { FunnelPlan } from './funnel-plan.ts'
import { FunnelTally, type QueryContext, type TallyData } from './funnel-tally.ts'
import { FurthestAttempt } from './furthest-attempt.ts'
import { gatherSegment, type Prepared } from './gather-rows.ts'
import type { SharedRows } from './shared-units.ts'
import { UnitRows } from './unit-rows.ts'
import { UnitScan, type LaneInput, type RunName } from './unit-scan.ts'

/** What one thread found, as plain data; `mergeFunnelPartials` makes the answer of them. */
export interface FunnelPartial {
  readonly tally: TallyData
  readonly shared: SharedRows
}

/** Finds out how far each unit got, why not further, and how long it took. */
export class FunnelScan extends UnitScan {
  readonly #request: FunnelRequest
  readonly #context: QueryContext
  readonly #tally: FunnelTally
  readonly #attempt: Attempt
  readonly #furthest: FurthestAttempt
  readonly #first: FirstAttempts
  readonly #rows = new UnitRows()
  readonly #times: Float64Array

  constructor(request: FunnelRequest, context: QueryContext, budget?: Budget) {
    super(new FunnelPlan(request), budget)
    this.#request = request
    this.#context = context
    this.#tally = new FunnelTally(request, context)
    this.#attempt = new Attempt(this.plan)
    this.#furthest = new FurthestAttempt(this.plan, this.#attempt, budget ?? endless)
    this.#first = new FirstAttempts(this.plan, context.completeTo, this.#tally)
    this.#times = new Float64Array(this.plan.steps)
  }

  partial(): FunnelPartial {
    return { tally: this.#tally.data(), shared: this.sharedRows() }
  }

  /** Takes over what another scan of the same query found. */
  absorb({ tally, shared }: FunnelPartial): void {
    this.#tally.absorb(tally, this.shared.absorb(shared))
  }

  /** The answer. Nothing can be scanned after that. */
  finish(): FunnelResult {
    this.finishShared()
    return funnelAnswer(this.#request, this.#context, this.#tally, this.#tally.groups.map((number) => this.groups.values[number]!))
  }

  protected override units(prepared: Prepared, first: number, last: number, name: RunName): void {
    if (!this.plan.simple) {
      super.units(prepared, first, last, name)
      return
    }
    const rows = this.#rows
    this.#first.follow(prepared, first, last, name, (run, begin, end) => {
      rows.length = 0
      gatherSegment(rows, prepared, begin, end)
      this.unit(rows, 0, rows.length, () => name(run))
    })
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    this.#furthest.search(rows, begin, end)
    const { level, start } = this.#furthest
    if (level === 0) return
    const attempt = this.#attempt
    const { completeTo } = this.#context
    let cause: DropCause | undefined
    if (this.plan.simple) {
      attempt.walkSimple(rows, start, level)
      if (level < this.plan.steps) cause = attempt.causeSimple(rows, begin, end, completeTo)
    } else {
      attempt.walk(rows, start, end)
      if (level < this.plan.steps) cause = attempt.cause(rows, begin, end, completeTo)
    }
    for (let k = 0; k < level; k++) this.#times[k] = rows.time[attempt.taken[k]!]!
    const number = cause === undefined ? -1 : dropCauses.indexOf(cause)
    this.#tally.add(level, this.#times, number, rows.group[start]!)
    if (this.#tally.asks(level, number)) this.#tally.people.push(who())
  }
}

/** The answer out of what the threads found. */
export function mergeFunnelPartials(request: FunnelRequest, context: QueryContext, partials: readonly FunnelPartial[]): FunnelResult {
  const scan = new FunnelScan(request, context)
  for (const partial of partials) scan.absorb(partial)
  return scan.finish()
}

/** Runs a whole funnel query in this thread. */
export function queryFunnel(request: FunnelRequest, context: QueryContext, lanes: readonly LaneInput[], budget?: Budget): FunnelResult {
  const scan = new FunnelScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
