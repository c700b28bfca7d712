import { dropCauses } from '@hopper/contracts'
import type { Codes } from '../chunk/chunk.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import type { FunnelTally } from './funnel-tally.ts'
import type { Prepared } from './gather-rows.ts'
import type { RunName } from './unit-scan.ts'

const OPEN = dropCauses.indexOf('open')
const BEFORE = dropCauses.indexOf('before')
const NEVER = dropCauses.indexOf('never')

/**
 * The short way through a simple plan: follows each unit's first attempt over the rows of a chunk. Where it finishes, or where no event of the step
 * that it lacks follows at all, no later attempt can do better, so it is the furthest. Only where such an event comes after its window are all attempts to be searched.
 */
export class FirstAttempts {
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  readonly #tally: FunnelTally
  /** when the attempt took each step */
  readonly #taken: Float64Array
  /** the step that each row of the chunk serves, 0 = none */
  #steps = new Uint8Array(0)

  constructor(plan: FunnelPlan, completeTo: number, tally: FunnelTally) {
    this.#plan = plan
    this.#completeTo = completeTo
    this.#tally = tally
    this.#taken = new Float64Array(plan.steps)
  }

  /** Adds the units of the runs from `first` up to `last` to the tally, but for those whose attempts are all to be searched: their rows are handed to `search`. */
  follow(prepared: Prepared, first: number, last: number, name: RunName, search: (run: number, begin: number, end: number) => void): void {
    const { times, inside, from, until, runs } = prepared
    const { starts } = prepared.chunk.runs()
    const { windowMs, to, steps: count } = this.#plan
    const tally = this.#tally
    const taken = this.#taken
    const steps = this.#stepsOf(prepared, starts, first, last)
    for (let run = first; run < last; run++) {
      if (runs !== undefined && runs[run] === 0) continue
      let begin = starts[run]!
      let end = starts[run + 1]!
      if (!inside) {
        while (begin < end && times[begin]! < from) begin++
        while (begin < end && times[end - 1]! >= until) end--
      }
      let level = 0
      let limit = to - 1
      let seen = 0
      let start = begin
      let late = false
      for (let row = begin; row < end; row++) {
        const step = steps[row]!
        seen |= 1 << step
        if (step !== level + 1) continue
        const now = times[row]!
        if (now > limit) {
          late = true
          break
        }
        if (level === 0) {
          start = row
          limit = now + windowMs
        }
        taken[level++] = now
        if (level === count) break
      }
      if (late && level > 0) search(run, begin, end)
      if (late || level === 0) continue
      const cause = level === count ? -1 : limit >= this.#completeTo ? OPEN : ((seen >>> (level + 1)) & 1) === 1 && includes(steps, level + 1, begin, end) ? BEFORE : NEVER
      tally.add(level, taken, cause, groupOf(prepared, start))
      if (tally.asks(level, cause)) tally.people.push(name(run))
    }
  }

  /** One pass that does nothing else, so that the other is the same code for codes of any width. */
  #stepsOf({ codes, steps: table, runs }: Prepared, starts: Uint32Array, first: number, last: number): Uint8Array {
    if (this.#steps.length < codes.length) this.#steps = new Uint8Array(codes.length)
    const steps = this.#steps
    if (runs === undefined) fill(steps, codes, table, starts[first]!, starts[last]!)
    else for (let run = first; run < last; run++) if (runs[run] === 1) fill(steps, codes, table, starts[run]!, starts[run + 1]!)
    return steps
  }
}

function fill(steps: Uint8Array, codes: Codes, table: Uint8Array, begin: number, end: number): void {
  for (let row = begin; row < end; row++) steps[row] = table[codes[row]!]!
}

/** `seen` goes by the step modulo 32: it may seem to hold one that it does not. */
function includes(steps: Uint8Array, step: number, begin: number, end: number): boolean {
  for (let row = begin; row < end; row++) if (steps[row] === step) return true
  return false
}

function groupOf({ groupTable, groupCodes }: Prepared, row: number): number {
  return groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
}
