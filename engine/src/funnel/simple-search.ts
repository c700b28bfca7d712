import { dropCauses } from '@hopper/contracts'
import type { TimeOffsets } from '../chunk/time-offsets.ts'
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

  /** `steps` and `times` are of the rows; `begin` to `end` are the unit's. In time linear in these. */
  search(steps: Uint8Array, { base, offsets: times }: TimeOffsets, begin: number, end: number): void {
    const { steps: count, windowMs } = this.#plan
    const to = this.#plan.to - base
    let at = nextOf(1, steps, begin, end)
    this.level = at < end && times[at]! < to ? 1 : 0
    if (this.level === 0) return
    this.#latest.fill(-Infinity)
    let followed = at
    for (let row = nextOf(2, steps, at + 1, end); row < end && this.level < count; row = nextOf(this.level + 1, steps, row + 1, end)) {
      const from = times[row]! - windowMs
      this.#follow(steps, times, to, firstFrom(from, times, followed, row), row)
      followed = row
      const start = this.#latest[this.level]!
      if (start < from) continue
      this.#latest[++this.level] = start
      at = row
    }
    this.#walk(steps, times, base, begin, end, at)
  }

  /**
   * Keeps the latest start that has reached each level: where the next step comes, it tells whether any attempt can take it. Rows that are not followed
   * lie a window or more before the next such place, so that no attempt that began there can.
   */
  #follow(steps: Uint8Array, times: TimeOffsets['offsets'], to: number, begin: number, end: number): void {
    const { windowMs } = this.#plan
    const { level } = this
    const latest = this.#latest
    for (let row = begin; row < end; row++) {
      const step = steps[row]!
      if (step === 0 || step > level) continue
      const now = times[row]!
      if (step > 1) {
        const start = latest[step - 1]!
        if (now - start <= windowMs) latest[step] = start
      } else if (now < to) latest[1] = now
    }
  }

  /** Of the attempts that reach the level, all at row `at`, the first is the earliest whose window holds that row. */
  #walk(steps: Uint8Array, times: TimeOffsets['offsets'], base: number, begin: number, end: number, at: number): void {
    const { level, taken } = this
    let row = level === 1 ? at : nextOf(1, steps, firstFrom(times[at]! - this.#plan.windowMs, times, begin, at), at)
    this.start = row
    taken[0] = base + times[row]!
    for (let step = 1; step < level; step++) {
      row = nextOf(step + 1, steps, row + 1, end)
      taken[step] = base + times[row]!
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
function firstFrom(instant: number, times: TimeOffsets['offsets'], begin: number, end: number): number {
  let row = end
  while (row > begin && times[row - 1]! >= instant) row--
  return row
}
