import { dropCauses, type Truncatable, type FunnelRequest, type FunnelResult } from '@hopper/contracts'
import { unlimitedBudget, type Budget } from '../../scan/budget.ts'
import { Attempt } from '../attempt.ts'
import { FirstAttempts } from '../first-attempts.ts'
import { funnelAnswer } from '../funnel-answer.ts'
import { FunnelPlan } from '../plan/funnel-plan.ts'
import { FunnelTally, type QueryContext, type TallyData } from '../funnel-tally.ts'
import { FurthestAttempt } from '../furthest-attempt.ts'
import type { Prepared } from './gather-rows.ts'
import type { SharedRows } from './shared-units.ts'
import { NO_CAUSE, SimpleSearch } from '../plan/simple-search.ts'
import type { UnitRows } from './unit-rows.ts'
import { UnitScan, type LaneInput, type RunName } from './unit-scan.ts'

/** The partial result of one thread, as plain data; `mergeFunnelPartials` merges them to the answer. */
export interface FunnelPartial {
  readonly tally: TallyData
  readonly shared: SharedRows
}

/** Determines the level reached, the drop cause and the conversion times of each unit. */
export class FunnelScan extends UnitScan {
  readonly #request: FunnelRequest
  readonly #context: QueryContext
  readonly #tally: FunnelTally
  readonly #attempt: Attempt
  readonly #furthest: FurthestAttempt
  readonly #simple: SimpleSearch
  readonly #first: FirstAttempts
  readonly #taken: Float64Array
  /** the steps of gathered rows, while the scan is simple */
  #steps = new Uint8Array(1024)

  constructor(request: FunnelRequest, context: QueryContext, budget?: Budget, withTieBreakers = true) {
    super(new FunnelPlan(request), budget, withTieBreakers)
    this.#request = request
    this.#context = context
    this.#tally = new FunnelTally(request, context)
    this.#attempt = new Attempt(this.plan, this.state)
    this.#furthest = new FurthestAttempt(this.plan, this.state, this.#attempt, budget ?? unlimitedBudget)
    this.#simple = new SimpleSearch(this.plan, context.completeTo)
    this.#first = new FirstAttempts(this.plan, context.completeTo, this.#tally, this.#simple)
    this.#taken = new Float64Array(this.plan.steps)
  }

  partial(): FunnelPartial {
    return { tally: this.#tally.data(), shared: this.sharedRows() }
  }

  /** Adds the partial result of another scan of the same query. */
  absorb({ tally, shared }: FunnelPartial): void {
    this.#tally.absorb(tally, this.shared.absorb(shared))
  }

  /** Returns the answer; nothing can be scanned afterwards. */
  finish(): Truncatable<FunnelResult> {
    this.finishShared()
    return funnelAnswer(
      this.#request,
      this.#context,
      this.#tally,
      this.#tally.groups.map((number) => this.groups.values[number] ?? null),
    )
  }

  protected override units(prepared: Prepared, first: number, last: number, name: RunName): void {
    if (this.state.isSimple) this.#first.follow(prepared, first, last, name)
    else super.units(prepared, first, last, name)
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    if (this.state.isSimple) this.#searchSimple(rows, begin, end, who)
    else this.#search(rows, begin, end, who)
  }

  #searchSimple(rows: UnitRows, begin: number, end: number, who: () => string): void {
    if (this.#steps.length < end) this.#steps = new Uint8Array(end * 2)
    for (let i = begin; i < end; i++) this.#steps[i] = this.state.symbolStep[rows.symbol[i]!]!
    const { taken } = this.#simple
    this.#simple.search(this.#steps, { base: 0, offsets: rows.time }, begin, end)
    const { level, start, cause } = this.#simple
    if (level > 0) this.#add(level, taken, cause, rows.group[start]!, who)
  }

  #search(rows: UnitRows, begin: number, end: number, who: () => string): void {
    this.#furthest.search(rows, begin, end)
    const { level, start } = this.#furthest
    if (level === 0) return
    const attempt = this.#attempt
    attempt.walk(rows, start, end)
    for (let k = 0; k < level; k++) this.#taken[k] = rows.time[attempt.taken[k]!]!
    const cause =
      level < this.plan.steps ? dropCauses.indexOf(attempt.cause(rows, begin, end, this.#context.completeTo)) : NO_CAUSE
    this.#add(level, this.#taken, cause, rows.group[start]!, who)
  }

  #add(level: number, taken: Float64Array, cause: number, group: number, who: () => string): void {
    this.#tally.add(level, taken, cause, group)
    if (this.#tally.wantsName(level, cause)) this.#tally.people.push(who())
  }
}

/** Returns the buffers of a partial result that are worth transferring to another thread instead of copying. */
export function buffersOf({ tally }: FunnelPartial): ArrayBuffer[] {
  return [
    ...new Set(
      [...tally.times, ...tally.timeGroups, tally.durations.flatMap((counted) => (counted ? [counted.halves] : []))]
        .flat()
        .map(({ buffer }) => buffer as ArrayBuffer),
    ),
  ]
}

/**
 * Merges the partial results of threads to the answer. Returns undefined if they were scanned without `withTieBreakers`
 * and ties are unresolved; the caller must then scan again with `withTieBreakers`.
 */
export function mergeFunnelPartials(
  request: FunnelRequest,
  context: QueryContext,
  partials: readonly FunnelPartial[],
  withTieBreakers = true,
): Truncatable<FunnelResult> | undefined {
  const scan = new FunnelScan(request, context, undefined, withTieBreakers)
  for (const partial of partials) scan.absorb(partial)
  const answer = scan.finish()
  return scan.hasUnresolvedTies ? undefined : answer
}

/** Runs a complete funnel query in this thread. */
export function queryFunnel(
  request: FunnelRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<FunnelResult> {
  const run = (withTieBreakers: boolean): Truncatable<FunnelResult> | undefined => {
    const scan = new FunnelScan(request, context, budget, withTieBreakers)
    for (const lane of lanes) scan.scanLane(lane)
    const answer = scan.finish()
    return scan.hasUnresolvedTies ? undefined : answer
  }
  return run(false) ?? run(true)!
}
