import { dropCauses } from '@hopper/contracts'
import type { TimeOffsets } from '../../chunk/encoding/time-offsets.ts'
import type { FunnelPlan } from './funnel-plan.ts'

export const OPEN = dropCauses.indexOf('open')
export const LATE = dropCauses.indexOf('late')
export const BEFORE = dropCauses.indexOf('before')
export const NEVER = dropCauses.indexOf('never')
/** the cause of a unit that finished */
export const NO_CAUSE = -1

/** Finds the furthest attempt of a unit and its drop cause for a simple plan: each row matches at most one step. */
export class SimpleSearch {
  /** steps taken, 0 = no attempt */
  level = 0
  /** the first row of the attempt */
  start = -1
  /** number of the drop cause */
  cause = NO_CAUSE
  /** time at which it took each step */
  readonly taken: Float64Array
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  /** time of the latest start that reached the level before each step: [0] never, [1] the latest start itself */
  readonly #latest: Float64Array

  constructor(plan: FunnelPlan, completeTo: number) {
    this.taken = new Float64Array(plan.steps)
    this.#plan = plan
    this.#completeTo = completeTo
    this.#latest = new Float64Array(plan.steps + 2)
  }

  /** Searches the rows `begin` to `end` of a unit in linear time; `steps` and `times` are indexed by row. */
  search(steps: Uint8Array, times: TimeOffsets, begin: number, end: number): void {
    const first = nextOf(1, steps, begin, end)
    this.level = first < end && times.offsets[first]! < this.#plan.to - times.base ? 1 : 0
    if (this.level > 0)
      this.#walk(
        steps,
        times,
        begin,
        end,
        this.#furthest(steps, times, end, first, first, nextOf(2, steps, first + 1, end)),
      )
  }

  /**
   * Returns whether any attempt gets further than the first one, which began at row `first`, reached `level` at row
   * `last` and saw the next step only at row `next`, after its window. If not, the other fields are not updated.
   */
  further(
    level: number,
    steps: Uint8Array,
    times: TimeOffsets,
    begin: number,
    end: number,
    first: number,
    last: number,
    next: number,
  ): boolean {
    this.level = level
    const reached = this.#furthest(steps, times, end, first, last, next)
    if (this.level === level) return false
    this.#walk(steps, times, begin, end, reached)
    return true
  }

  /**
   * Raises `level` to that of the furthest attempt and returns the row that first reaches it. Arguments as in
   * `further`. Tracks the latest start that has reached each level: when the next step occurs, it decides whether any
   * attempt can take it. An attempt that takes the step at row `next` or later began at most one window before it, so
   * earlier rows are skipped. A start is passed on even if its window has expired: this saves an unpredictable branch
   * and is harmless, because it will never be inside its window again.
   */
  #furthest(
    steps: Uint8Array,
    { base, offsets: times }: TimeOffsets,
    end: number,
    first: number,
    last: number,
    next: number,
  ): number {
    if (next >= end) return last
    const { steps: count, windowMs } = this.#plan
    const to = this.#plan.to - base
    const latest = this.#latest.fill(-Infinity)
    let level = this.level
    let reached = last
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

  /**
   * Walks the first of the attempts that reach the level, all of them at row `last`: the earliest one whose window
   * contains that row.
   */
  #walk(steps: Uint8Array, { base, offsets: times }: TimeOffsets, begin: number, end: number, last: number): void {
    const { level, taken } = this
    let row =
      level === 1 ? last : nextOf(1, steps, firstFrom(times[last]! - this.#plan.windowMs, times, begin, last), last)
    this.start = row
    taken[0] = base + times[row]!
    for (let step = 1; step < level; step++) {
      row = nextOf(step + 1, steps, row + 1, end)
      taken[step] = base + times[row]!
    }
    this.cause = level === this.#plan.steps ? NO_CAUSE : this.#causeAt(row, steps, begin, end)
  }

  /** Determines the drop cause; `last` is the row that took the last step. */
  #causeAt(last: number, steps: Uint8Array, begin: number, end: number): number {
    if (this.taken[0]! + this.#plan.windowMs >= this.#completeTo) return OPEN
    const wanted = this.level + 1
    // an event of the next step after the last one taken can only have come after the window
    if (nextOf(wanted, steps, last + 1, end) < end) return LATE
    return nextOf(wanted, steps, begin, last) < last ? BEFORE : NEVER
  }
}

/** Finds the first row from `begin` up to `end` that matches a step, else `end`. */
export function nextOf(step: number, steps: Uint8Array, begin: number, end: number): number {
  let row = begin
  while (row < end && steps[row] !== step) row++
  return row
}

/** Finds the first row from `begin` up to `end` that is not before an instant; searches backwards from `end`. */
function firstFrom(instant: number, times: TimeOffsets['offsets'], begin: number, end: number): number {
  let row = end
  while (row > begin && times[row - 1]! >= instant) row--
  return row
}
