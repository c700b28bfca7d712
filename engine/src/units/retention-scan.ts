import { queryLimits, type RetentionRequest, type RetentionResult } from '@hopper/contracts'
import { over } from '../filter/parse-filters.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { QueryContext } from '../funnel/funnel-tally.ts'
import { bucketAt, bucketStarts } from '../funnel/trend-buckets.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

const FIRST = 1
const AGAIN = 2

/**
 * Counts returning units: cohorts by the day or week of the first event, and the later ones in which they came back.
 */
export class RetentionScan extends UnitScan {
  readonly #starts: Float64Array
  readonly #sizes: Float64Array
  readonly #again: readonly Float64Array[]
  readonly #seen: Uint8Array

  constructor({ from, to, first, again, by, count_by }: RetentionRequest, context: QueryContext, budget?: Budget) {
    const steps = [
      { name: 'first', filters: first },
      { name: 'again', filters: again },
    ]
    super(new FunnelPlan({ from, to, steps, ...(count_by ? { count_by } : {}) }, 0), budget)
    this.#starts = bucketStarts(from, to, by, context.timezone)
    const buckets = this.#starts.length - 1
    if (buckets > queryLimits.cohortsMax) throw over('by', 'cohortsMax')
    this.#sizes = new Float64Array(buckets)
    this.#again = Array.from({ length: buckets }, (_, cohort) => new Float64Array(buckets - cohort))
    this.#seen = new Uint8Array(buckets)
  }

  finish(): RetentionResult {
    this.finishShared()
    return {
      cohorts: this.#again.map((again, cohort) => ({
        time: this.#starts[cohort]!,
        size: this.#sizes[cohort]!,
        again: [...again],
      })),
    }
  }

  protected override unit(rows: UnitRows, begin: number, end: number): void {
    const { symbolSteps } = this.state
    let first = begin
    while (first < end && !symbolSteps[rows.symbol[first]!]!.includes(FIRST)) first++
    if (first === end) return
    const cohort = bucketAt(this.#starts, rows.time[first]!)
    this.#sizes[cohort]!++
    this.#seen.fill(0)
    for (let i = first + 1; i < end; i++) {
      if (!symbolSteps[rows.symbol[i]!]!.includes(AGAIN)) continue
      const bucket = bucketAt(this.#starts, rows.time[i]!)
      if (this.#seen[bucket]! === 0) this.#again[cohort]![bucket - cohort]!++
      this.#seen[bucket] = 1
    }
  }
}

/** Runs a complete retention query in this thread. */
export function queryRetention(
  request: RetentionRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): RetentionResult {
  const scan = new RetentionScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
