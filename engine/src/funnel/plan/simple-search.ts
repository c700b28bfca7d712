import { dropCauses } from '@hopper/contracts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
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
  /** time of the latest start that reached the level before each step: [0] never, [1] its own */
  readonly #latest: Float64Array

  constructor(plan: FunnelPlan, completeTo: number) {
    this.taken = new Float64Array(plan.steps)
    this.#plan = plan
    this.#completeTo = completeTo
    this.#latest = new Float64Array(plan.steps + 2)
  }

  /** `steps` and `times` are of the rows; `begin` to `end` are the unit's. In time linear in these. */
  search(steps: Uint8Array, times: TimeOffsets, begin: number, end: number): void {
    const at = nextOf(1, steps, begin, end)
    this.level = at < end && times.offsets[at]! < this.#plan.to - times.base ? 1 : 0
    if (this.level > 0)
      this.#walk(steps, times, begin, end, this.#furthest(steps, times, end, at, at, nextOf(2, steps, at + 1, end)))
  }

  /**
   * Whether any attempt comes further than the first, which began at row `first`, reached `level` at row `at` and saw
   * the next step at row `next` only, after its window. If not, nothing else is found out.
   */
  further(
    level: number,
    steps: Uint8Array,
    times: TimeOffsets,
    begin: number,
    end: number,
    first: number,
    at: number,
    next: number,
  ): boolean {
    this.level = level
    const reached = this.#furthest(steps, times, end, first, at, next)
    if (this.level === level) return false
    this.#walk(steps, times, begin, end, reached)
    return true
  }

  /**
   * Raises the level to that of the furthest attempt; answers the row where that is first reached. Arguments as above.
   * Keeps the latest start that has reached each level: where the next step comes, it tells whether any attempt can
   * take it. An attempt that takes the step at row `next` or later began a window before it or later, so rows before
   * that are not looked at. A start is handed on though its window has passed, for that saves a branch which no
   * processor foresees: it will never be inside again.
   */
  #furthest(
    steps: Uint8Array,
    { base, offsets: times }: TimeOffsets,
    end: number,
    first: number,
    at: number,
    next: number,
  ): number {
    if (next >= end) return at
    const { steps: count, windowMs } = this.#plan
    const to = this.#plan.to - base
    const latest = this.#latest.fill(-Infinity)
    let level = this.level
    let reached = at
    for (let row = firstFrom(times[next]! - windowMs, times, first, next); row < end; row++) {
      const step = steps[row]!
      const now = times[row]!
      latest[1] = now < to ? now : latest[2]!
      const start = latest[step]!
      latest[step + 1] = start
      if (step !== level + 1 || now - start > windowMs) continue
      level = step
      reached = row
      if (level === count) break
    }
    this.level = level
    return reached
  }

  /** Of the attempts that reach the level, all at row `at`, the first is the earliest whose window holds that row. */
  #walk(steps: Uint8Array, { base, offsets: times }: TimeOffsets, begin: number, end: number, at: number): void {
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
