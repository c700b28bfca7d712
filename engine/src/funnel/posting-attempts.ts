import { NO_RUN, type Postings } from '../chunk/postings.ts'
import type { Followed } from './followed.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import { endOf } from './funnel-tally.ts'
import type { Prepared } from './gather-rows.ts'
import type { AttemptSpace, RunStates } from './attempt-space.ts'
import type { PlacedRows } from './placed-rows.ts'
import { BEFORE, LATE, NEVER, NO_CAUSE, OPEN } from './simple-search.ts'

const NO_CODE = -1
/** what was seen of the step that a unit lacks, as bits: a row of it, one after the step taken last; and that the unit has time left */
const SEEN = 1
const SEEN_AFTER = 2
const HAS_TIME = 4
const causes = Array.from({ length: 8 }, (_, sight) => (sight >= HAS_TIME ? OPEN : sight >= SEEN_AFTER ? LATE : sight === SEEN ? BEFORE : NEVER))

/** The code of each step in a chunk, by step from 1; -1 = none. Undefined when a step has several. */
export function codesOfSteps(table: Uint8Array, steps: number): Int32Array | undefined {
  const codes = new Int32Array(steps + 1).fill(NO_CODE)
  for (let code = 0; code < table.length; code++) {
    const step = table[code]!
    if (step === 0) continue
    if (codes[step] !== NO_CODE) return undefined
    codes[step] = code
  }
  return codes
}

/**
 * The furthest attempts of the units of a chunk for a simple plan of which each step is a code of one column. They are found out of the rows of each code, in
 * two passes a step. The first tells how far each unit comes: whether the latest start that has come to the step before is within the window. The second
 * takes the steps of the first attempt that comes so far. Neither has branches by what the rows hold: no processor can foretell that.
 */
export class PostingAttempts {
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  readonly #rows: readonly PlacedRows[]
  readonly #reached: PlacedRows
  readonly #next: PlacedRows
  readonly #runs: RunStates
  /** how a unit ends that lacks a step, by step and what was seen of it */
  readonly #endsBySight: readonly Uint16Array[]

  /** Uses `space` as long as a call lasts. */
  constructor(plan: FunnelPlan, completeTo: number, space: AttemptSpace) {
    this.#plan = plan
    this.#completeTo = completeTo
    this.#rows = space.rowsOf(plan.steps)
    this.#reached = space.reached
    this.#next = space.next
    this.#runs = space.runs
    this.#endsBySight = Array.from({ length: plan.steps + 1 }, (_, step) => Uint16Array.from(causes, (cause) => endOf(Math.max(step - 1, 0), cause)))
  }

  /** Follows the runs that are 1 in `passing`; `codes` are those of the steps. */
  follow(prepared: Prepared, postings: Postings, codes: Int32Array, passing: Uint8Array, out: Followed): void {
    this.#runs.clear(prepared.starts.length - 1)
    const steps = this.#reach(prepared, postings, codes, passing)
    let count = this.#begin(out)
    for (let step = 2; step <= steps && count > 0; step++) count = this.#take(step, count, out)
    if (count > 0) this.#finish(count, out)
  }

  /** How far each run comes. Answers the last step of which rows were looked at. */
  #reach({ times, inside, from, until, chunk }: Prepared, postings: Postings, codes: Int32Array, passing: Uint8Array): number {
    const { steps, to, windowMs } = this.#plan
    const { levels, arrivals } = this.#runs
    const first = this.#rows[1]!
    first.take(postings, codes[1]!, passing, 1, times)
    if (!inside || chunk.summary.max_time >= to) first.keepBetween(from, to)
    first.begin()
    arrive(first.runs, first.times, first.end, 1, levels, arrivals)
    let reached = first
    for (let step = 2; step <= steps; step++) {
      const rows = this.#rows[step]!
      rows.take(postings, codes[step]!, levels, step - 1, times, reached)
      if (!inside) rows.keepBetween(from, until)
      const next = reached === this.#reached ? this.#next : this.#reached
      next.takeWithin(windowMs, reached, rows)
      arrive(next.runs, next.times, next.end, step, levels, arrivals)
      if (next.end === 1) return step
      reached = next
    }
    return steps
  }

  /** Each unit's first start that can come to its furthest step; answers the number of units. */
  #begin(out: Followed): number {
    const { rows, runs, times, end } = this.#rows[1]!
    const { arrivals, began, times: at, rows: row, active } = this.#runs
    firstStarts(rows, runs, times, end, this.#plan.windowMs, arrivals, row, began)
    out.units = distinct(runs, end, out.runs)
    for (let unit = 0; unit < out.units; unit++) {
      const run = out.runs[unit]!
      active[unit] = run
      at[run] = began[run]!
      out.starts[run] = row[run]!
    }
    return out.units
  }

  /** Takes the first so many active runs to this step where they come so far, and finds out why the others do not; answers how many do. */
  #take(step: number, count: number, out: Followed): number {
    const { rows, runs, times, end } = this.#rows[step]!
    const { levels, began, active, sights, places, rows: row, times: at } = this.#runs
    look(rows, runs, end, row, sights, places)
    const kept = stay(active, count, step, levels, sights, began, this.#completeTo - this.#plan.windowMs, this.#endsBySight[step]!, out.ends)
    advance(active, kept, places, rows, times, row, at, out.gapMs, out.gapOf, out.gaps)
    out.gapSteps.fill(step - 1, out.gaps, out.gaps + kept)
    out.gaps += kept
    return kept
  }

  #finish(count: number, out: Followed): void {
    const { active, times, began } = this.#runs
    const end = endOf(this.#plan.steps, NO_CAUSE)
    for (let i = 0; i < count; i++) {
      const run = active[i]!
      out.ends[run] = end
      out.gapSteps[out.gaps] = 0
      out.gapOf[out.gaps] = run
      out.gapMs[out.gaps++] = times[run]! - began[run]!
    }
  }
}

/** From the last row to the first, so that what stands at the end is of the first. */
function arrive(runs: Uint16Array, times: Float64Array, end: number, step: number, levels: Uint8Array, arrivals: Float64Array): void {
  for (let i = end - 1; i > 0; i--) {
    const run = runs[i]!
    levels[run] = step
    arrivals[run] = times[i]!
  }
}

function firstStarts(
  rows: Uint32Array, runs: Uint16Array, times: Float64Array, end: number, windowMs: number, arrivals: Float64Array, row: Uint32Array, began: Float64Array,
): void {
  for (let i = end - 1; i > 0; i--) {
    const run = runs[i]!
    const time = times[i]!
    if (time + windowMs < arrivals[run]!) continue
    row[run] = rows[i]!
    began[run] = time
  }
}

function distinct(runs: Uint16Array, end: number, out: Uint32Array): number {
  let count = 0
  for (let i = 1; i < end; i++) {
    out[count] = runs[i]!
    count += Number(runs[i] !== runs[i - 1])
  }
  return count
}

/** Of each run, what there is of a step, and the place of the first row after the row that it has come to. */
function look(rows: Uint32Array, runs: Uint16Array, end: number, row: Uint32Array, sights: Uint8Array, places: Uint32Array): void {
  for (let i = end - 1; i > 0; i--) {
    const run = runs[i]!
    const after = Number(rows[i]! > row[run]!)
    sights[run]! |= SEEN | (after << 1)
    // a row that comes before is written where nobody looks
    places[after === 1 ? run : NO_RUN] = i
  }
}

/** Keeps the active runs that come to a step and notes how the others end. */
function stay(
  active: Uint32Array, count: number, step: number, levels: Uint8Array, sights: Uint8Array, began: Float64Array, openFrom: number, endBySight: Uint16Array, ends: Uint16Array,
): number {
  let kept = 0
  for (let i = 0; i < count; i++) {
    const run = active[i]!
    ends[run] = endBySight[sights[run]! | (Number(began[run]! >= openFrom) << 2)]!
    sights[run] = 0
    active[kept] = run
    kept += Number(levels[run]! >= step)
  }
  return kept
}

function advance(
  active: Uint32Array, count: number, places: Uint32Array, rows: Uint32Array, times: Float64Array, row: Uint32Array, at: Float64Array,
  gapMs: Float64Array, gapOf: Uint32Array, gaps: number,
): void {
  for (let i = 0; i < count; i++) {
    const run = active[i]!
    const place = places[run]!
    const now = times[place]!
    gapMs[gaps + i] = now - at[run]!
    gapOf[gaps + i] = run
    row[run] = rows[place]!
    at[run] = now
  }
}
