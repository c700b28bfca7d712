import { translate, type Codes } from '../chunk/encoding/codes.ts'
import type { FunnelPlan } from './plan/funnel-plan.ts'
import type { FunnelTally } from './funnel-tally.ts'
import type { Prepared } from './scan/gather-rows.ts'
import { PassingRuns } from './scan/passing-runs.ts'
import { BEFORE, LATE, NEVER, nextOf, NO_CAUSE, OPEN, type SimpleSearch } from './plan/simple-search.ts'
import type { RunName } from './scan/unit-scan.ts'

/**
 * Fast path for a simple plan: follows each unit's first attempt over the rows of a chunk. If it finishes, or if no
 * event of its next step follows at all, no later attempt can get further, so it is the furthest. All attempts are
 * searched only if an event of the next step comes after the window of the first one.
 */
export class FirstAttempts {
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  readonly #tally: FunnelTally
  readonly #search: SimpleSearch
  /** time at which the attempt took each step */
  readonly #taken: Float64Array
  /** the step that each row of the chunk matches, 0 = none */
  #steps = new Uint8Array(0)
  readonly #passing = new PassingRuns()

  constructor(plan: FunnelPlan, completeTo: number, tally: FunnelTally, search: SimpleSearch) {
    this.#plan = plan
    this.#completeTo = completeTo
    this.#tally = tally
    this.#search = search
    this.#taken = new Float64Array(plan.steps)
  }

  /** Adds the units of the runs from `first` up to `last` to the tally. */
  follow(prepared: Prepared, first: number, last: number, name: RunName): void {
    const { inside, runs, starts } = prepared
    const { base, offsets: times } = prepared.times
    const { windowMs, steps: count } = this.#plan
    const [from, until, to, completeTo] = [
      prepared.from - base,
      prepared.until - base,
      this.#plan.to - base,
      this.#completeTo - base,
    ]
    const taken = this.#taken
    const steps = this.#stepsOf(prepared, first, last)
    const { runs: passing, count: passed } = this.#passing
    const units = runs === undefined ? last - first : passed
    for (let unit = 0; unit < units; unit++) {
      const run = runs === undefined ? first + unit : passing[unit]!
      let begin = starts[run]!
      let end = starts[run + 1]!
      if (!inside) {
        while (begin < end && times[begin]! < from) begin++
        while (begin < end && times[end - 1]! >= until) end--
      }
      let level = 0
      let start = begin
      let last = begin
      let row = begin
      let limit = to - 1
      let late = false
      let seen = 0
      for (; row < end; row++) {
        const step = steps[row]!
        seen |= 1 << step
        if (step !== level + 1) continue
        const now = times[row]!
        late = now > limit
        if (late) break
        if (level === 0) {
          start = row
          limit = now + windowMs
        }
        taken[level++] = base + now
        last = row
        if (level === count) break
      }
      if (level === 0) continue
      const search = this.#search
      if (late && search.further(level, steps, prepared.times, begin, end, start, last, row)) {
        this.#add(prepared, search.level, search.taken, search.cause, search.start, run, name)
        continue
      }
      const open = limit >= completeTo
      // shifts are modulo 32, so `seen` may contain a false positive, which `nextOf` rules out
      const before = !open && !late && ((seen >>> (level + 1)) & 1) === 1 && nextOf(level + 1, steps, begin, end) < end
      this.#add(
        prepared,
        level,
        taken,
        level === count ? NO_CAUSE : open ? OPEN : late ? LATE : before ? BEFORE : NEVER,
        start,
        run,
        name,
      )
    }
  }

  #add(
    { groupTable, groupCodes }: Prepared,
    level: number,
    taken: Float64Array,
    cause: number,
    start: number,
    run: number,
    name: RunName,
  ): void {
    this.#tally.add(level, taken, cause, groupTable.length > 0 ? groupTable[groupCodes[start]!]! : 0)
    if (this.#tally.wantsName(level, cause)) this.#tally.people.push(name(run))
  }

  /** Translates codes to steps in a separate pass, so that the walk is the same machine code for any code width. */
  #stepsOf(prepared: Prepared, first: number, last: number): Uint8Array {
    const { codes, steps: table, runs, starts } = prepared
    if (this.#steps.length < codes.length) this.#steps = new Uint8Array(codes.length)
    if (runs === undefined) translate(this.#steps, codes, table, starts[first]!, starts[last]!)
    else {
      this.#passing.list(prepared, first, last)
      fillRuns(this.#steps, codes, table, starts, this.#passing)
    }
    return this.#steps
  }
}

function fillRuns(
  steps: Uint8Array,
  codes: Codes,
  table: Uint8Array,
  starts: Uint32Array,
  { runs, count }: PassingRuns,
): void {
  for (let i = 0; i < count; i++) {
    const run = runs[i]!
    translate(steps, codes, table, starts[run]!, starts[run + 1]!)
  }
}
