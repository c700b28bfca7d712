import { dropCauses, queryLimits, type FunnelRequest } from '@hopper/contracts'
import { over } from '../filter/parse-filters.ts'
import type { BinnedTimes } from './binned-times.ts'
import type { Followed } from './followed.ts'
import { WINDOW_MS_DEFAULT } from './funnel-plan.ts'
import { TakenTimes } from './taken-times.ts'
import { bucketAt, bucketStarts } from './trend-buckets.ts'

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
  readonly counts: Uint32Array
  readonly trend: readonly number[]
  readonly people: readonly string[]
  /** by group and step: `times[group * steps + step]` */
  readonly times: readonly (readonly BinnedTimes[])[]
}

/** The ends of a unit at one level: for each cause why it went no further, and for having finished. */
const ENDS = dropCauses.length + 1
const TWO_32 = 4_294_967_296

/** How a unit ended: its level and the cause why it went no further (-1 when it finished) as one number. */
export function endOf(level: number, cause: number): number {
  return level * ENDS + cause + 1
}

/** Counts the results of units: how far they got, why not further, how long it took. Units are grouped by the number of their breakdown value. */
export class FunnelTally {
  /** the numbers of the breakdown values that were met; a group is a place in this list */
  readonly groups: number[] = []
  /** units by bucket of their start and level */
  readonly trend: number[] = []
  readonly people: string[] = []
  /** whether units differ by breakdown value, and are asked for more than their end */
  readonly grouped: boolean
  readonly plain: boolean
  readonly starts: Float64Array | undefined
  readonly #steps: number
  readonly #people: FunnelRequest['people']
  /** units by group and end: `counts[group * width + endOf(level, cause)]` */
  #counts: Uint32Array
  readonly #width: number
  readonly #times: TakenTimes
  /** what others have found: by group and step */
  readonly #absorbed = new Map<number, BinnedTimes[]>()
  /** the group of each number, -1 = none yet */
  #places = new Int32Array(256).fill(-1)

  constructor(request: FunnelRequest, context: QueryContext) {
    this.#steps = request.steps.length
    this.#width = (this.#steps + 1) * ENDS
    this.#counts = new Uint32Array(this.#width)
    this.grouped = request.breakdown !== undefined
    this.plain = !this.grouped && request.trend === undefined && request.people === undefined
    this.#people = request.people
    // no duration is longer than the window
    const narrow = (request.window_ms ?? WINDOW_MS_DEFAULT) < TWO_32
    this.#times = new TakenTimes(narrow)
    this.starts = request.trend && bucketStarts(request.from, request.to, request.trend, context.timezone)
    if (this.starts) this.trend = new Array<number>((this.starts.length - 1) * (this.#steps + 1)).fill(0)
    if (!this.grouped) this.group(0)
  }

  /** Adds a unit whose furthest attempt took its steps at these times; `cause` is its number, -1 for a unit that finished, `number` that of its breakdown value. */
  add(level: number, taken: Float64Array, cause: number, number: number): void {
    const group = this.group(number)
    this.count(endOf(level, cause), group, taken[0]!)
    for (let k = 1; k < level; k++) this.#times.add(taken[k]! - taken[k - 1]!, k, group)
    if (level === this.#steps) this.#times.add(taken[level - 1]! - taken[0]!, 0, group)
  }

  /** Counts a unit that began at `start` and ended so (`endOf`). */
  count(end: number, group: number, start: number): void {
    this.#counts[group * this.#width + end]!++
    if (this.starts) this.trend[bucketAt(this.starts, start) * (this.#steps + 1) + Math.floor(end / ENDS)]!++
  }

  /** The same for many units of which only their ends are asked for. */
  countEnds({ units, runs, ends }: Followed): void {
    const counts = this.#counts
    for (let unit = 0; unit < units; unit++) counts[ends[runs[unit]!]!]!++
  }

  /** Adds the durations of units that were counted; `groups` are theirs by run, when there is a breakdown. */
  addTimes(followed: Followed, groups: Uint16Array | undefined): void {
    this.#times.addFollowed(followed, groups)
  }

  /** Whether the names of units that ended so are asked for and there is room for one more in `people`. */
  asks(end: number): boolean {
    if (this.#people === undefined || this.people.length >= this.#people.limit) return false
    const { step, outcome } = this.#people
    const level = Math.floor(end / ENDS)
    const cause = (end % ENDS) - 1
    if (outcome === 'reached') return level >= step
    return level === step - 1 && (outcome === 'dropped' || dropCauses.indexOf(outcome) === cause)
  }

  /** Units of these groups that ended at this level; by one cause, when it is named. */
  units(groups: readonly number[], level: number, cause?: number): number {
    let sum = 0
    for (const group of groups) {
      const first = group * this.#width + (cause === undefined ? level * ENDS : endOf(level, cause))
      for (let end = first; end < first + (cause === undefined ? ENDS : 1); end++) sum += this.#counts[end]!
    }
    return sum
  }

  /** The group of the number of a breakdown value; one for all when there is no breakdown. */
  group(number: number): number {
    if (!this.grouped) number = 0
    const group = number < this.#places.length ? this.#places[number]! : -1
    return group < 0 ? this.#addGroup(number) : group
  }

  /** Adds another tally of the same query; `numbers` are the numbers here of its breakdown values. */
  absorb({ groups, counts, trend, people, times }: TallyData, numbers: readonly number[]): void {
    const width = this.#width
    groups.forEach((number, from) => {
      const group = this.group(numbers[number]!)
      for (let k = 0; k < width; k++) this.#counts[group * width + k]! += counts[from * width + k]!
      for (let step = 0; step < this.#steps; step++) this.#absorbedOf(group, step).push(...times[from * this.#steps + step]!)
    })
    trend.forEach((count, i) => (this.trend[i]! += count))
    for (const person of people) if (this.#people && this.people.length < this.#people.limit) this.people.push(person)
  }

  data(): TallyData {
    const { groups, trend, people } = this
    return { groups, counts: this.#counts.slice(0, groups.length * this.#width), trend, people, times: this.times() }
  }

  /** By group and step: `[group * steps + step]`. */
  times(): BinnedTimes[][] {
    const own = this.#times.binned(this.groups.length, this.#steps)
    return own.map((times, at) => [...(this.#absorbed.get(at) ?? []), ...(times.values.length > 0 ? [times] : [])])
  }

  #absorbedOf(group: number, step: number): BinnedTimes[] {
    const at = group * this.#steps + step
    let found = this.#absorbed.get(at)
    if (!found) this.#absorbed.set(at, (found = []))
    return found
  }

  #addGroup(number: number): number {
    const group = this.groups.length
    if (group >= queryLimits.breakdownValuesMax) throw over('breakdown', 'breakdownValuesMax')
    if (number >= this.#places.length) this.#places = longer(this.#places, number * 2, -1)
    this.#places[number] = group
    this.groups.push(number)
    if (this.#counts.length < (group + 1) * this.#width) this.#counts = longer(this.#counts, (group + 1) * 2 * this.#width, 0)
    return group
  }
}

function longer<T extends Int32Array | Uint32Array>(array: T, length: number, rest: number): T {
  const grown = new (array.constructor as new (length: number) => T)(length)
  grown.set(array)
  grown.fill(rest, array.length)
  return grown
}
