import type { DropCause, FunnelRequest, FunnelResult } from '@hopper/contracts'
import { endless, type Budget } from '../scan/budget.ts'
import { Attempt } from './attempt.ts'
import { funnelAnswer } from './funnel-answer.ts'
import { FunnelPlan } from './funnel-plan.ts'
import { FunnelTally, type QueryContext, type TallyData } from './funnel-tally.ts'
import { FurthestAttempt } from './furthest-attempt.ts'
import type { UnitRows } from './unit-rows.ts'
import { UnitScan, type LaneInput, type SharedRows } from './unit-scan.ts'

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

  constructor(request: FunnelRequest, context: QueryContext, budget?: Budget) {
    super(new FunnelPlan(request), budget)
    this.#request = request
    this.#context = context
    this.#tally = new FunnelTally(request, context)
    this.#attempt = new Attempt(this.plan)
    this.#furthest = new FurthestAttempt(this.plan, this.#attempt, budget ?? endless)
  }

  partial(): FunnelPartial {
    return { tally: this.#tally.data(), shared: this.sharedRows() }
  }

  /** Takes over what another scan of the same query found. */
  absorb({ tally, shared }: FunnelPartial): void {
    this.#tally.absorb(tally, this.absorbShared(shared))
  }

  /** The answer. Nothing can be scanned after that. */
  finish(): FunnelResult {
    this.finishShared()
    return funnelAnswer(this.#request, this.#context, this.#tally, this.#tally.groups.map((number) => this.groups.values[number]!))
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
    this.#tally.add(level, rows, attempt.taken, cause, who)
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
