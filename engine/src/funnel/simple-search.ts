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
  /** time of the latest start that reached each level, -Infinity = none */
  readonly #latest: Float64Array

  constructor(plan: FunnelPlan, completeTo: number) {
    this.taken = new Float64Array(plan.steps)
    this.#plan = plan
    this.#completeTo = completeTo
    this.#latest = new Float64Array(plan.steps + 1).fill(-Infinity)
  }

  /** `steps` and `times` are of the rows, each of which serves a step; `begin` to `end` are the unit's. In time linear in these. */
  search(steps: Uint8Array, times: Float64Array, begin: number, end: number): void {
    const { steps: count, windowMs, to } = this.#plan
    const latest = this.#latest
    let level = 0
    let at = begin
    for (let row = begin; row < end && level < count; row++) {
      const step = steps[row]!
      const now = times[row]!
      const start = step > 1 ? latest[step - 1]! : now < to ? now : -Infinity
      if (now - start > windowMs) continue
      latest[step] = start
      if (step <= level) continue
      level = step
      at = row
    }
    for (let step = 1; step <= level; step++) latest[step] = -Infinity
    this.level = level
    if (level > 0) this.#walk(steps, times, begin, end, at)
  }

  /** Of the attempts that reach the level, all at row `at`, the first is the earliest whose window holds that row. */
  #walk(steps: Uint8Array, times: Float64Array, begin: number, end: number, at: number): void {
    const { level, taken } = this
    let row = level === 1 ? at : nextOf(1, steps, firstFrom(times[at]! - this.#plan.windowMs, times, begin, at), at)
    this.start = row
    taken[0] = times[row]!
    for (let step = 1; step < level; step++) {
      row = nextOf(step + 1, steps, row + 1, end)
      taken[step] = times[row]!
    }
    this.cause = level === this.#plan.steps ? NO_CAUSE : this.#causeAt(row, steps, begin, end)
  }

  /** `last` is the row that took the last step. */
  #causeAt(last: number, steps: Uint8Array, begin: number, end: number): number {
    if (this.taken[0]! + this.#plan.windowMs >= this.#completeTo) return OPEN
    const wanted = this.level + 1
    // the right event after the step taken last can only have come after the window
    if (nextOf(wanted, steps, last + 1, end) < end) return LATE
    return nextOf(wanted, steps, begin, last) < last ? BEFORE : NEVER
  }
}

/** The first row from `begin` up to `end` that serves this step, else `end`. */
export function nextOf(step: number, steps: Uint8Array, begin: number, end: number): number {
  let row = begin
  while (row < end && steps[row] !== step) row++
  return row
}

/** The first row from `begin` up to `end` that is not before an instant; the search begins at the end. */
function firstFrom(instant: number, times: Float64Array, begin: number, end: number): number {
  let row = end
  while (row > begin && times[row - 1]! >= instant) row--
  return row
}
