import { dropCauses, queryLimits, type DropCause, type FunnelRequest } from '@hopper/contracts'
import { over } from '../filter/parse-filters.ts'
import { NumberList } from './number-list.ts'
import { bucketAt, bucketStarts } from './trend-buckets.ts'
import type { UnitRows } from './unit-rows.ts'

/** What an answer needs to know besides the question. */
export interface QueryContext {
  /** the app's IANA time zone */
  readonly timezone: string
  /** every event received before this instant is in the archive */
  readonly completeTo: number
}

/** A tally as plain data, to be sent between threads. */
export interface TallyData {
  readonly groups: readonly number[]
  readonly levels: readonly number[]
  readonly causes: readonly number[]
  readonly trend: readonly number[]
  readonly people: readonly string[]
  readonly times: readonly Float64Array[]
  readonly timeGroups: readonly Float64Array[]
}

/** Counts the results of units: how far they got, why not further, how long it took. Units are grouped by the number of their breakdown value. */
export class FunnelTally {
  /** the numbers of the breakdown values that were met; a group is a place in this list */
  readonly groups: number[] = []
  /** units by group and level: `levels[group * (steps + 1) + level]` */
  readonly levels: number[] = []
  /** units by group, step not taken (from 0) and cause: `causes[(group * steps + step) * 6 + cause]` */
  readonly causes: number[] = []
  /** units by bucket of their start and level */
  readonly trend: number[] = []
  readonly people: string[] = []
  /** ms from the step before, by step; [0] from the first step to the last */
  readonly times: NumberList[]
  /** the group of each of these, when there is a breakdown */
  readonly timeGroups: NumberList[]
  readonly starts: Float64Array | undefined
  readonly #places = new Map<number, number>()
  readonly #steps: number
  readonly #grouped: boolean
  readonly #people: FunnelRequest['people']

  constructor(request: FunnelRequest, context: QueryContext) {
    this.#steps = request.steps.length
    this.#grouped = request.breakdown !== undefined
    this.#people = request.people
    this.times = request.steps.map(() => new NumberList())
    this.timeGroups = request.steps.map(() => new NumberList())
    this.starts = request.trend && bucketStarts(request.from, request.to, request.trend, context.timezone)
    if (this.starts) this.trend = new Array<number>((this.starts.length - 1) * (this.#steps + 1)).fill(0)
  }

  /** Adds a unit whose attempt took these rows; `who` names it when it is asked for. */
  add(level: number, rows: UnitRows, taken: Int32Array, cause: DropCause | undefined, who: () => string): void {
    const start = taken[0]!
    const group = this.#group(this.#grouped ? rows.group[start]! : 0)
    this.levels[group * (this.#steps + 1) + level]!++
    if (cause !== undefined) this.causes[(group * this.#steps + level) * dropCauses.length + dropCauses.indexOf(cause)]!++
    for (let k = 1; k < level; k++) this.#time(k, rows.time[taken[k]!]! - rows.time[taken[k - 1]!]!, group)
    if (level === this.#steps) this.#time(0, rows.time[taken[level - 1]!]! - rows.time[start]!, group)
    if (this.starts) this.trend[bucketAt(this.starts, rows.time[start]!) * (this.#steps + 1) + level]!++
    if (this.#people && this.people.length < this.#people.limit && this.#asked(level, cause)) this.people.push(who())
  }

  /** Adds another tally of the same query; `numbers` are the numbers here of its breakdown values. */
  absorb(other: TallyData, numbers: readonly number[]): void {
    const { levels, causes } = other
    const width = this.#steps + 1
    const groups = other.groups.map((number) => this.#group(numbers[number]!))
    groups.forEach((group, from) => {
      for (let k = 0; k < width; k++) this.levels[group * width + k]! += levels[from * width + k] ?? 0
      const cells = this.#steps * dropCauses.length
      for (let k = 0; k < cells; k++) this.causes[group * cells + k]! += causes[from * cells + k] ?? 0
    })
    other.trend.forEach((count, i) => (this.trend[i]! += count))
    other.times.forEach((values, k) => this.times[k]!.append(values))
    if (this.#grouped) other.timeGroups.forEach((values, k) => this.timeGroups[k]!.append(values.map((group) => groups[group]!)))
    for (const person of other.people) if (this.#people && this.people.length < this.#people.limit) this.people.push(person)
  }

  data(): TallyData {
    const { groups, levels, causes, trend, people } = this
    return { groups, levels, causes, trend, people, times: this.times.map((list) => list.view()), timeGroups: this.timeGroups.map((list) => list.view()) }
  }

  #time(step: number, ms: number, group: number): void {
    this.times[step]!.push(ms)
    if (this.#grouped) this.timeGroups[step]!.push(group)
  }

  #asked(level: number, cause: DropCause | undefined): boolean {
    const { step, outcome } = this.#people!
    if (outcome === 'reached') return level >= step
    return level === step - 1 && (outcome === 'dropped' || outcome === cause)
  }

  #group(number: number): number {
    let group = this.#places.get(number)
    if (group === undefined) {
      group = this.groups.length
      if (group >= queryLimits.breakdownValuesMax) throw over('breakdown', 'breakdownValuesMax')
      this.#places.set(number, group)
      this.groups.push(number)
      for (let i = 0; i <= this.#steps; i++) this.levels.push(0)
      for (let i = 0; i < this.#steps * dropCauses.length; i++) this.causes.push(0)
    }
    return group
  }
}
