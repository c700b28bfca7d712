import { queryLimits, type Truncatable, type DistinctRequest, type DistinctResult, type Value } from '@hopper/contracts'
import { compareValues } from '../funnel/funnel-answer.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { hasRelevantRows, type Prepared } from '../funnel/scan/gather-rows.ts'
import { UnitScan, type LaneInput, type RunName } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

/** Maximum number of breakdown values with their own count: further values count as `other` from the start. */
const GROUPS_MAX = 200_000

/** Counts the units with a matching event. */
export class DistinctScan extends UnitScan {
  #count = 0
  readonly #byGroup = new Map<number, number>()
  /** units counted as `other` */
  #rest = 0
  readonly #grouped: boolean

  constructor({ from, to, filters, breakdown, count_by }: DistinctRequest, budget?: Budget) {
    const steps = [{ name: 'event', filters }]
    super(
      new FunnelPlan(
        { from, to, steps, ...(breakdown === undefined ? {} : { breakdown }), ...(count_by ? { count_by } : {}) },
        0,
      ),
      budget,
    )
    this.#grouped = breakdown !== undefined
  }

  /**
   * Returns the number of units, and that of each breakdown value. `rest` counts units by values beyond the first
   * 200,000. Nothing can be scanned afterwards.
   */
  counts(): {
    readonly count: number
    readonly byValue: ReadonlyMap<Value | null, number>
    readonly rest: number
  } {
    this.finishShared()
    const values = [...this.#byGroup].map(([group, count]) => [this.groups.values[group]!, count] as const)
    return { count: this.#count, byValue: new Map(values), rest: this.#rest }
  }

  finish(): Truncatable<DistinctResult> {
    const { byValue } = this.counts()
    if (!this.#grouped) return { count: this.#count }
    const rows = [...byValue].map(([value, count]) => ({ value, count }))
    rows.sort((a, b) => b.count - a.count || compareValues(a.value, b.value))
    const rest = rows.slice(queryLimits.breakdownValuesMax).reduce((sum, { count }) => sum + count, this.#rest)
    if (rest === 0) return { count: this.#count, breakdown: rows }
    return {
      count: this.#count,
      breakdown: [...rows.slice(0, queryLimits.breakdownValuesMax), { value: 'other', other: true, count: rest }],
      truncated: true,
    }
  }

  /** Without a breakdown, looks for only one matching event per unit. */
  protected override units(prepared: Prepared, first: number, last: number, name: RunName): void {
    if (this.#grouped) super.units(prepared, first, last, name)
    else {
      const { starts } = prepared
      for (let run = first; run < last; run++) {
        if (prepared.runs?.[run] !== 0 && hasRelevantRows(prepared, starts[run]!, starts[run + 1]!)) this.#count++
      }
    }
  }

  protected override unit(rows: UnitRows, begin: number, end: number): void {
    this.#count++
    if (!this.#grouped) return
    for (const group of new Set(rows.group.subarray(begin, end))) {
      const known = this.#byGroup.get(group)
      if (known !== undefined || this.#byGroup.size < GROUPS_MAX) this.#byGroup.set(group, (known ?? 0) + 1)
      else this.#rest++
    }
  }
}

/** Runs a complete distinct count in this thread. */
export function queryDistinct(
  request: DistinctRequest,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<DistinctResult> {
  const scan = new DistinctScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
