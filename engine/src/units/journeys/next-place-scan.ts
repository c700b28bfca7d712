import { limits, type Filter } from '@hopper/contracts'
import { FunnelPlan } from '../../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../../funnel/scan/unit-rows.ts'
import { UnitScan } from '../../funnel/scan/unit-scan.ts'
import type { Budget } from '../../scan/budget.ts'

interface Options {
  readonly plan: FunnelPlan
  readonly budget: Budget
  /** Returns the instant (ms) after which to find a unit's next place; undefined for units that do not matter. */
  readonly after: (name: string) => number | undefined
  /** true: visits of the place where the unit already is do not count */
  readonly elsewhere: boolean
  /** Returns the place of a value. */
  readonly placeOf: (value: string) => string
  readonly found: (place: string, name: string) => void
}

/** Makes the plan that reads the places of units: the values of a key of the events that match. */
export function placePlan(
  range: { readonly from: number; readonly to: number; readonly filters?: readonly Filter[] },
  unit: FunnelPlan['unit'],
  type: 'url_change' | 'click',
  key: string,
  windowMs: number,
): FunnelPlan {
  const { from, to, filters = [] } = range
  const steps = [
    {
      name: 'place',
      filters: [
        { type: 'eq' as const, key: 'type', value: type },
        { type: 'all' as const, key },
      ],
    },
  ]
  return new FunnelPlan({ from, to, filters, steps, breakdown: key, count_by: unit }, windowMs)
}

/** Finds the place to which a unit went next after an instant, unless it first paused for as long as ends a session. */
export class NextPlaceScan extends UnitScan {
  readonly #options: Options
  /** the place of each breakdown value, by its number */
  readonly #places: string[] = []

  constructor(options: Options) {
    super(options.plan, options.budget)
    this.#options = options
  }

  finish(): void {
    this.finishShared()
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    const name = who()
    const after = this.#options.after(name)
    if (after === undefined) return
    let row = begin
    while (row < end && rows.time[row]! <= after) row++
    const present = this.#options.elsewhere && row > begin ? this.#placeAt(rows, row - 1) : undefined
    for (let before = after; row < end && rows.time[row]! - before < limits.sessionPauseMs; row++) {
      const place = this.#placeAt(rows, row)
      if (place !== present) return this.#options.found(place, name)
      before = rows.time[row]!
    }
  }

  #placeAt(rows: UnitRows, row: number): string {
    const value = rows.group[row]!
    return (this.#places[value] ??= this.#options.placeOf(String(this.groups.values[value]!)))
  }
}
