import { queryLimits, type DistinctRequest, type DistinctResult } from '@hopper/contracts'
import { over } from '../filter/parse-filters.ts'
import { compareValues } from '../funnel/funnel-answer.ts'
import { FunnelPlan } from '../funnel/funnel-plan.ts'
import type { UnitRows } from '../funnel/unit-rows.ts'
import { meansSomething, type Prepared } from '../funnel/gather-rows.ts'
import { UnitScan, type LaneInput, type RunName } from '../funnel/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

/** Counts the units that have a matching event. */
export class DistinctScan extends UnitScan {
  #count = 0
  readonly #byGroup = new Map<number, number>()
  readonly #grouped: boolean

  constructor({ from, to, filters, breakdown, count_by }: DistinctRequest, budget?: Budget) {
    const steps = [{ name: 'event', filters }]
    super(new FunnelPlan({ from, to, steps, ...(breakdown === undefined ? {} : { breakdown }), ...(count_by ? { count_by } : {}) }, 0), budget)
    this.#grouped = breakdown !== undefined
  }

  finish(): DistinctResult {
    this.finishShared()
    if (!this.#grouped) return { count: this.#count }
    const rows = [...this.#byGroup].map(([group, count]) => ({ value: this.groups.values[group]!, count }))
    return { count: this.#count, breakdown: rows.sort((a, b) => b.count - a.count || compareValues(a.value, b.value)) }
  }

  /** Without a breakdown, the first event that matches decides. */
  protected override units(prepared: Prepared, first: number, last: number, name: RunName): void {
    if (this.#grouped) super.units(prepared, first, last, name)
    else {
      const { starts } = prepared
      for (let run = first; run < last; run++) {
        if (prepared.runs?.[run] !== 0 && meansSomething(prepared, starts[run]!, starts[run + 1]!)) this.#count++
      }
    }
  }

  protected override unit(rows: UnitRows, begin: number, end: number): void {
    this.#count++
    if (!this.#grouped) return
    for (const group of new Set(rows.group.subarray(begin, end))) this.#byGroup.set(group, (this.#byGroup.get(group) ?? 0) + 1)
    if (this.#byGroup.size > queryLimits.breakdownValuesMax) throw over('breakdown', 'breakdownValuesMax')
  }
}

/** Runs a whole distinct count in this thread. */
export function queryDistinct(request: DistinctRequest, lanes: readonly LaneInput[], budget?: Budget): DistinctResult {
  const scan = new DistinctScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
