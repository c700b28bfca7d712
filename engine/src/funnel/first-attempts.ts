import { LATE_START, NOT_BEGUN, type Followed } from './followed.ts'
import { endOf } from './funnel-tally.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import { BEFORE, NEVER, nextOf, NO_CAUSE, OPEN } from './simple-search.ts'
import type { StepRows } from './step-rows.ts'

/**
 * The short way through a simple plan: follows each unit's first attempt over the rows of a chunk. Where it finishes, or where no event of the step
 * that it lacks follows at all, no later attempt can do better, so it is the furthest. Only of units where such an event comes after its window
 * all attempts have to be searched. Attempts whose window ends from `completeTo` on are not over.
 */
export function followRows(
  { rows, steps, times, runs: unitRuns, ends: unitEnds, units: count }: StepRows, { steps: last, windowMs, to }: FunnelPlan, completeTo: number, out: Followed,
): void {
  const { ends, runs, starts, gapSteps, gapMs, gapOf } = out
  let [units, late, gaps, end] = [0, 0, 0, 0]
  for (let unit = 0; unit < count; unit++) {
    const begin = end
    end = unitEnds[unit]!
    const run = unitRuns[unit]!
    let level = 0
    let start = begin
    let limit = to - 1
    let before = 0
    let seen = 0
    let isLate = false
    for (let row = begin; row < end; row++) {
      const step = steps[row]!
      seen |= 1 << step
      if (step !== level + 1) continue
      const now = times[row]!
      isLate = now > limit
      if (isLate) break
      if (level === 0) {
        start = row
        limit = now + windowMs
      } else {
        gapSteps[gaps] = level
        gapOf[gaps] = run
        gapMs[gaps++] = now - before
      }
      before = now
      if (++level === last) break
    }
    ends[run] = NOT_BEGUN
    if (level === 0) continue
    let cause = NO_CAUSE
    if (level === last) {
      gapSteps[gaps] = 0
      gapOf[gaps] = run
      gapMs[gaps++] = before - times[start]!
    } else if (limit >= completeTo) cause = OPEN
    // a shift goes by the step modulo 32, so `seen` may seem to hold one that it does not
    else cause = ((seen >>> (level + 1)) & 1) === 1 && nextOf(level + 1, steps, begin, end) < end ? BEFORE : NEVER
    late += Number(isLate)
    ends[run] = isLate ? LATE_START : endOf(level, cause)
    starts[run] = rows[start]!
    runs[units++] = run
  }
  out.units = units
  out.late = late
  out.gaps = gaps
}
