import { dropCauses } from '@hopper/contracts'
import type { FunnelPlan } from './funnel-plan.ts'

export const OPEN = dropCauses.indexOf('open')
export const LATE = dropCauses.indexOf('late')
export const BEFORE = dropCauses.indexOf('before')
export const NEVER = dropCauses.indexOf('never')
/** of a unit that finished */
export const NO_CAUSE = -1

/** The furthest attempt of a unit, and why it went no further, for a simple plan: each row serves one step or none. */
export class SimpleSearch {
  /** steps taken, 0 = no attempt */
  level = 0
  /** the row that the attempt began with */
  start = -1
  /** number of the cause why it went no further */
  cause = NO_CAUSE
  /** when it took each step */
  readonly taken: Float64Array
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  /** time of the latest start that reached each level */
  readonly #latest: Float64Array

  constructor(plan: FunnelPlan, completeTo: number) {
    this.taken = new Float64Array(plan.steps)
    this.#plan = plan
    this.#completeTo = completeTo
    this.#latest = new Float64Array(plan.steps + 1)
  }

  /**
   * The latest start that has reached each level tells the furthest level. Of the attempts that reach it, all at the row where it is first
   * reached, the first is the earliest start whose window holds that row. `steps` and `times` are of the rows.
   */
  search(steps: Uint8Array, times: Float64Array, begin: number, end: number): void {
    const { steps: count, windowMs, to } = this.#plan
    const latest = this.#latest
    let level = 0
    let at = -1
    for (let row = begin; row < end; row++) {
      const step = steps[row]!
      if (step === 0 || step > level + 1) continue
      const now = times[row]!
      if (step === 1) {
        if (now >= to) continue
        latest[1] = now
        if (level > 0) continue
      } else {
        const start = latest[step - 1]!
        if (now - start > windowMs) continue
        latest[step] = start
        if (step <= level) continue
      }
      level = step
      at = row
      if (level === count) break
    }
    this.level = level
    if (level > 0) this.#walk(steps, times, begin, end, level > 1 ? times[at]! - windowMs : times[at]!)
  }

  /** The attempt that the first start from `from` on makes. */
  #walk(steps: Uint8Array, times: Float64Array, begin: number, end: number, from: number): void {
    const { level, taken } = this
    let row = begin
    while (times[row]! < from || steps[row] !== 1) row++
    this.start = row
    taken[0] = times[row]!
    for (let step = 1; step < level; step++) {
      do row++
      while (steps[row] !== step + 1)
      taken[step] = times[row]!
    }
    this.cause = level === this.#plan.steps ? NO_CAUSE : this.#causeAt(row, steps, begin, end)
  }

  /** `last` is the row that took the last step. */
  #causeAt(last: number, steps: Uint8Array, begin: number, end: number): number {
    if (this.taken[0]! + this.#plan.windowMs >= this.#completeTo) return OPEN
    const wanted = this.level + 1
    // the right event after the step taken last can only have come after the window
    if (includes(steps, wanted, last + 1, end)) return LATE
    return includes(steps, wanted, begin, last) ? BEFORE : NEVER
  }
}

/** Whether a row from `begin` up to `end` serves this step. */
export function includes(steps: Uint8Array, step: number, begin: number, end: number): boolean {
  for (let row = begin; row < end; row++) if (steps[row] === step) return true
  return false
}
