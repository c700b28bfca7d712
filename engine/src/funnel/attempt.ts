import type { DropCause } from '@hopper/contracts'
import type { FunnelPlan } from './plan/funnel-plan.ts'
import type { PlanState } from './scan/plan-state.ts'
import type { UnitRows } from './scan/unit-rows.ts'

/** One attempt of a unit, walked from its first event: the steps taken and the end. Reused for the next attempt. */
export class Attempt {
  /** steps taken */
  level = 0
  /** the rows that took steps: in step order for `ordered` and `strict`, in order of time for `any` */
  readonly taken: Int32Array
  /** the row that ended the attempt before its window did, or -1 */
  endedBy = -1
  readonly #plan: FunnelPlan
  readonly #state: PlanState
  /** 1 for each step number that is taken; only maintained for `any` */
  readonly #has: Uint8Array

  constructor(plan: FunnelPlan, state: PlanState) {
    this.#plan = plan
    this.#state = state
    this.taken = new Int32Array(plan.steps)
    this.#has = new Uint8Array(plan.steps + 1)
  }

  /** Walks the attempt that starts at row `start`; `end` is the exclusive end of the unit's rows. */
  walk(rows: UnitRows, start: number, end: number): void {
    const { windowMs, steps, order } = this.#plan
    const limit = rows.time[start]! + windowMs
    const match = rows.match[start]!
    const compared = this.#plan.match.length > 0
    this.endedBy = -1
    this.level = 1
    this.taken[0] = start
    if (order === 'any') this.#has.fill(0)[this.#state.symbolSteps[rows.symbol[start]!]!.at(-1)!] = 1
    for (let i = start + 1; i < end && this.level < steps && rows.time[i]! <= limit; i++) {
      const equal = !compared || (match >= 0 && rows.match[i] === match)
      const symbol = rows.symbol[i]!
      const step = equal ? this.#wanted(symbol) : 0
      if (step > 0) {
        this.#has[step] = 1
        this.taken[this.level++] = i
      } else if (order === 'strict' || (equal && this.#excludes(symbol))) {
        this.endedBy = i
        return
      }
    }
  }

  /**
   * Determines the drop cause of the attempt walked last. `begin` to `end` are the unit's rows; all events before
   * `completeTo` are known.
   */
  cause(rows: UnitRows, begin: number, end: number, completeTo: number): DropCause {
    const start = this.taken[0]!
    const last = this.taken[this.level - 1]!
    const limit = rows.time[start]! + this.#plan.windowMs
    if (this.endedBy >= 0)
      return this.#plan.order === 'strict' && this.#wanted(rows.symbol[this.endedBy]!) > 0 ? 'mismatch' : 'excluded'
    if (limit >= completeTo) return 'open'
    const match = rows.match[start]!
    const compared = this.#plan.match.length > 0
    let mismatch = false
    for (let i = last + 1; i < end; i++) {
      if (this.#wanted(rows.symbol[i]!) === 0) continue
      const equal = !compared || (match >= 0 && rows.match[i] === match)
      if (equal && rows.time[i]! > limit) return 'late'
      if (!equal && rows.time[i]! <= limit) mismatch = true
    }
    if (mismatch) return 'mismatch'
    for (let i = begin; i < last; i++) {
      if (this.#wanted(rows.symbol[i]!) > 0 && (!compared || (match >= 0 && rows.match[i] === match))) return 'before'
    }
    return 'never'
  }

  /**
   * Returns the step that an event of this symbol would take now, 0 = none: the next step or, for `any`, the lowest one
   * that is not taken.
   */
  #wanted(symbol: number): number {
    const steps = this.#state.symbolSteps[symbol]!
    if (this.#plan.order !== 'any') return steps.includes(this.level + 1) ? this.level + 1 : 0
    for (let i = steps.length - 1; i >= 0; i--) if (this.#has[steps[i]!] === 0) return steps[i]!
    return 0
  }

  #excludes(symbol: number): boolean {
    const { exclusions, order } = this.#plan
    for (const number of this.#state.symbolExclusions[symbol]!) {
      const { after, before } = exclusions[number]!
      if (
        order === 'any' ? this.#has[after] === 1 && this.#has[before] === 0 : after <= this.level && this.level < before
      )
        return true
    }
    return false
  }
}
