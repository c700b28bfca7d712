import { AttemptSpace } from './attempt-space.ts'
import { followRows } from './first-attempts.ts'
import { Followed, LATE_START } from './followed.ts'
import type { FunnelPlan } from './funnel-plan.ts'
import { endOf, type FunnelTally } from './funnel-tally.ts'
import type { Prepared } from './gather-rows.ts'
import { codesOfSteps, PostingAttempts } from './posting-attempts.ts'
import type { SimpleSearch } from './simple-search.ts'
import { StepRows } from './step-rows.ts'
import type { RunName } from './unit-scan.ts'

/** One of each is enough for a thread: nothing of them is read after the chunk. */
const stepRows = new StepRows()
const followed = new Followed()
const space = new AttemptSpace()

/** Adds the units of a chunk to the tally while the plan is simple: all at once, in a pass for each thing that is to be found out. */
export class SimpleUnits {
  readonly #plan: FunnelPlan
  readonly #completeTo: number
  readonly #tally: FunnelTally
  readonly #search: SimpleSearch
  readonly #attempts: PostingAttempts
  /** the group of each run, when there is a breakdown */
  #groups = new Uint16Array(0)
  /** by run, for chunks of which all runs pass */
  #all = new Uint8Array(0)

  constructor(plan: FunnelPlan, completeTo: number, tally: FunnelTally, search: SimpleSearch) {
    this.#plan = plan
    this.#completeTo = completeTo
    this.#tally = tally
    this.#search = search
    this.#attempts = new PostingAttempts(plan, completeTo, space)
  }

  /** The units that the runs from `first` up to `last` are. */
  add(prepared: Prepared, first: number, last: number, name: RunName): void {
    const { codes, starts, postings } = prepared
    if (this.#all.length < starts.length) this.#all = new Uint8Array(starts.length * 2).fill(1)
    const passing = prepared.runs ?? this.#all
    followed.clear(codes.length)
    const stepCodes = postings && first === 0 && last === starts.length - 1 ? codesOfSteps(prepared.steps, this.#plan.steps) : undefined
    if (stepCodes) this.#attempts.follow(prepared, postings!, stepCodes, passing, followed)
    else {
      stepRows.take(prepared, passing, first, last)
      followRows(stepRows, this.#plan, this.#completeTo, followed)
    }
    if (this.#tally.plain) this.#tally.countEnds(followed)
    else this.#count(prepared, name)
    if (followed.late > 0) followed.dropLate()
    this.#tally.addTimes(followed, this.#tally.grouped ? this.#groups : undefined)
    if (followed.late > 0) this.#searchLate(prepared, name)
  }

  #count(prepared: Prepared, name: RunName): void {
    const { units, ends, runs, starts } = followed
    const { base, offsets } = prepared.times
    const tally = this.#tally
    if (this.#groups.length < ends.length) this.#groups = new Uint16Array(ends.length)
    for (let unit = 0; unit < units; unit++) {
      const run = runs[unit]!
      const end = ends[run]!
      if (end === LATE_START) continue
      const group = tally.group(groupNumber(prepared, starts[run]!))
      this.#groups[run] = group
      tally.count(end, group, base + offsets[starts[run]!]!)
      if (tally.asks(end)) tally.people.push(name(run))
    }
  }

  #searchLate(prepared: Prepared, name: RunName): void {
    const { units, ends, steps, times, runs, rows } = stepRows
    const search = this.#search
    for (let unit = 0, begin = 0; unit < units; begin = ends[unit++]!) {
      if (followed.ends[runs[unit]!] !== LATE_START) continue
      search.search(steps, times, begin, ends[unit]!)
      this.#tally.add(search.level, search.taken, search.cause, groupNumber(prepared, rows[search.start]!))
      if (this.#tally.asks(endOf(search.level, search.cause))) this.#tally.people.push(name(runs[unit]!))
    }
  }
}

/** The number of the breakdown value of a row. */
function groupNumber({ groupTable, groupCodes }: Prepared, row: number): number {
  return groupTable.length > 0 ? groupTable[groupCodes[row]!]! : 0
}
