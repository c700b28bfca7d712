import { dropCauses, queryLimits, type FunnelRequest, type PageRule, type PropertyDefinition } from '@hopper/contracts'
import { addDurations, countDurations, countedWhenMany, type CountedDurations } from './conversion-time.ts'
import { NumberList } from './number-list.ts'
import { bucketAt, bucketStarts } from './trend-buckets.ts'

/** Context of a query besides its request. */
export interface QueryContext {
  /** the app's IANA time zone */
  readonly timezone: string
  /** every event received before this instant is in the archive */
  readonly completeTo: number
  /** the first instant (ms) whose events the app keeps; 0 by default */
  readonly keptFrom?: number
  /** page rule of the app; default: no parameters are kept, no routes */
  readonly pages?: PageRule
  /** the computed properties that the query needs, by name */
  readonly properties?: Readonly<Record<string, PropertyDefinition>>
}

/** A tally as plain data, to be sent between threads. */
export interface TallyData {
  readonly groups: readonly number[]
  readonly levels: readonly number[]
  readonly causes: readonly number[]
  readonly trend: readonly number[]
  readonly people: readonly string[]
  readonly isTruncated: boolean
  /** blocks by step */
  readonly times: readonly (readonly Float64Array[])[]
  readonly timeGroups: readonly (readonly Float64Array[])[]
  /** the counts of `times`, for steps with enough durations */
  readonly durations: readonly (CountedDurations | undefined)[]
}

/**
 * Maximum number of counters of all groups of a tally. Breakdown values that are first seen beyond it count as `other`
 * from the start.
 */
const CELLS_MAX = 4_000_000
/** Pseudo number for all values without a group of their own. */
const OTHER = -1

/**
 * Counts the results of units: level reached, drop cause and conversion times. Units are grouped by the number of their
 * breakdown value.
 */
export class FunnelTally {
  /** numbers of the breakdown values seen so far, `OTHER` for the rest; a group is an index into this list */
  readonly groups: number[] = []
  /** the group of all values without their own group, if there is one */
  other: number | undefined
  /** true if more people match than `people` may contain */
  isTruncated = false
  /** units by group and level: `levels[group * (steps + 1) + level]` */
  readonly levels: number[] = []
  /** units by group, step not taken (from 0) and cause: `causes[(group * steps + step) * 6 + cause]` */
  readonly causes: number[] = []
  /** units by bucket of their start and level */
  readonly trend: number[] = []
  readonly people: string[] = []
  /** ms since the previous step, by step; [0] from the first step to the last */
  readonly times: NumberList[]
  /** the group of each of `times`, when there is a breakdown */
  readonly timeGroups: NumberList[]
  readonly starts: Float64Array | undefined
  /** by step: the durations of absorbed tallies that arrived already counted */
  readonly #durations: (CountedDurations | undefined)[]
  /** the blocks of `times` that are included in `#durations` */
  readonly #counted = new Set<Float64Array>()
  /** the group of each number, -1 = none yet */
  #places = new Int32Array(256).fill(-1)
  readonly #steps: number
  readonly #groupsMax: number
  readonly #grouped: boolean
  readonly #people: FunnelRequest['people']
  /** the group of all units when there is no breakdown */
  readonly #whole: number

  constructor(request: FunnelRequest, context: QueryContext) {
    this.#steps = request.steps.length
    this.#groupsMax = Math.max(
      queryLimits.breakdownValuesMax,
      Math.floor(CELLS_MAX / (this.#steps * (dropCauses.length + 1) + 1)),
    )
    this.#grouped = request.breakdown !== undefined
    this.#people = request.people
    this.times = request.steps.map(() => new NumberList())
    this.timeGroups = request.steps.map(() => new NumberList())
    this.#durations = request.steps.map(() => undefined)
    this.starts = request.trend && bucketStarts(request.from, request.to, request.trend, context.timezone)
    if (this.starts) this.trend = new Array<number>((this.starts.length - 1) * (this.#steps + 1)).fill(0)
    this.#whole = this.#grouped ? -1 : this.#group(0)
  }

  /**
   * Adds a unit whose furthest attempt took its steps at the times `taken`. `cause` is the number of the drop cause, -1
   * for a unit that finished; `group` is the number of its breakdown value.
   */
  add(level: number, taken: Float64Array, cause: number, group: number): void {
    const place = this.#grouped ? this.#group(group) : this.#whole
    const steps = this.#steps
    this.levels[place * (steps + 1) + level]!++
    if (cause >= 0) this.causes[(place * steps + level) * dropCauses.length + cause]!++
    for (let k = 1; k < level; k++) this.times[k]!.push(taken[k]! - taken[k - 1]!)
    if (level === steps) this.times[0]!.push(taken[level - 1]! - taken[0]!)
    if (this.#grouped) this.#addGroups(level, place)
    if (this.starts) this.trend[bucketAt(this.starts, taken[0]!) * (steps + 1) + level]!++
  }

  /** Returns whether the name of a unit with this result is for `people`; sets `isTruncated` if there is no room. */
  wantsName(level: number, cause: number): boolean {
    if (this.#people === undefined) return false
    const { step, outcome, limit } = this.#people
    const isWanted =
      outcome === 'reached'
        ? level >= step
        : level === step - 1 && (outcome === 'dropped' || dropCauses.indexOf(outcome) === cause)
    if (isWanted && this.people.length >= limit) this.isTruncated = true
    return isWanted && this.people.length < limit
  }

  /** Adds another tally of the same query; `numbers` maps its breakdown value numbers to those of this tally. */
  absorb(other: TallyData, numbers: readonly number[]): void {
    const { levels, causes } = other
    const width = this.#steps + 1
    const groups = other.groups.map((number) => (number === OTHER ? this.#otherGroup() : this.#group(numbers[number]!)))
    groups.forEach((group, from) => {
      for (let k = 0; k < width; k++) this.levels[group * width + k]! += levels[from * width + k] ?? 0
      const cells = this.#steps * dropCauses.length
      for (let k = 0; k < cells; k++) this.causes[group * cells + k]! += causes[from * cells + k] ?? 0
    })
    other.trend.forEach((count, i) => (this.trend[i]! += count))
    other.times.forEach((blocks, k) => blocks.forEach((block) => this.times[k]!.append(block)))
    other.durations.forEach((counted, k) => {
      const counts = this.#durations[k]
      if (counts && counted) addDurations(counts, counted)
      else if (counted) this.#durations[k] = { ...counted, halves: counted.halves.slice() }
      if (counted) other.times[k]!.forEach((block) => this.#counted.add(block))
    })
    if (this.#grouped)
      other.timeGroups.forEach((blocks, k) =>
        blocks.forEach((block) => this.timeGroups[k]!.append(block.map((group) => groups[group]!))),
      )
    const room = (this.#people?.limit ?? 0) - this.people.length
    this.people.push(...other.people.slice(0, Math.max(0, room)))
    this.isTruncated ||= other.isTruncated || other.people.length > room
  }

  /**
   * Returns the counted durations of a step; only blocks that arrived uncounted are counted here. Undefined if none
   * arrived counted.
   */
  durations(step: number): CountedDurations | undefined {
    const absorbed = this.#durations[step]
    if (!absorbed) return undefined
    const all = countDurations(this.times[step]!.blocks().filter((block) => !this.#counted.has(block)))
    addDurations(all, absorbed)
    return all
  }

  data(): TallyData {
    const { groups, levels, causes, trend, people, isTruncated } = this
    const [times, timeGroups] = [this.times, this.timeGroups].map((lists) => lists.map((list) => list.blocks())) as [
      Float64Array[][],
      Float64Array[][],
    ]
    return {
      groups,
      levels,
      causes,
      trend,
      people,
      isTruncated,
      times,
      timeGroups,
      durations: times.map(countedWhenMany),
    }
  }

  #addGroups(level: number, group: number): void {
    for (let k = 1; k < level; k++) this.timeGroups[k]!.push(group)
    if (level === this.#steps) this.timeGroups[0]!.push(group)
  }

  #group(number: number): number {
    const group = number < this.#places.length ? this.#places[number]! : -1
    return group < 0 ? this.#addGroup(number) : group
  }

  #addGroup(number: number): number {
    if (this.groups.length >= this.#groupsMax) return this.#otherGroup()
    if (number >= this.#places.length) {
      const places = new Int32Array(number * 2).fill(-1)
      places.set(this.#places)
      this.#places = places
    }
    return (this.#places[number] = this.#newGroup(number))
  }

  #otherGroup(): number {
    return (this.other ??= this.#newGroup(OTHER))
  }

  #newGroup(number: number): number {
    for (let i = 0; i <= this.#steps; i++) this.levels.push(0)
    for (let i = 0; i < this.#steps * dropCauses.length; i++) this.causes.push(0)
    return this.groups.push(number) - 1
  }
}
