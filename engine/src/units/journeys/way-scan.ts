import { queryLimits, type Filter, type FunnelRequest, type JourneyRequest } from '@hopper/contracts'
import { invalid, over } from '../../filter/parse-filters.ts'
import { FunnelPlan } from '../../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../../funnel/scan/unit-rows.ts'
import { UnitScan } from '../../funnel/scan/unit-scan.ts'
import type { Budget } from '../../scan/budget.ts'
import type { Way } from './journey-way.ts'
import { PlaceGroups } from './place-groups.ts'

const DEPTH_DEFAULT = 5
/** A visit to a page, in contrast to a click on it. */
const urlChange: Filter = { type: 'eq', key: 'type', value: 'url_change' }

/** Returns the filters of the events that are visits of places. */
export function placeFilters({ key, filters = [] }: Pick<JourneyRequest, 'key' | 'filters'>): Filter[] {
  return [...filters, ...(key === undefined ? [urlChange] : []), { type: 'all', key: key ?? 'page' }]
}

/** Walks the places of each unit and passes the part of its journey that is asked for to `way`. */
export abstract class WayScan extends UnitScan {
  readonly #depth: number
  readonly #start: string | undefined
  readonly #end: string | undefined
  /** those of `start` and `end` that any unit visited */
  readonly #visited = new Set<string>()
  readonly #groups: PlaceGroups
  /** the place of each breakdown value, by its number */
  readonly #places: string[] = []

  /** `people` is for scans that name the units. */
  constructor(request: JourneyRequest, budget?: Budget, people?: FunnelRequest['people']) {
    const { from, to, depth, start, end, key, groups, count_by } = request
    const place = key ?? 'page'
    const steps = [{ name: 'place', filters: placeFilters(request) }]
    const more = { ...(count_by ? { count_by } : {}), ...(people ? { people } : {}) }
    super(new FunnelPlan({ from, to, steps, breakdown: place, ...more }, 0), budget)
    if (depth !== undefined && (!Number.isInteger(depth) || depth < 2))
      throw invalid('depth', 'must be a whole number of at least 2')
    if ((depth ?? 0) > queryLimits.journeyDepthMax) throw over('depth', 'journeyDepthMax')
    this.#depth = depth ?? DEPTH_DEFAULT
    this.#start = start
    this.#end = end
    if (groups && groups.length > 0 && place !== 'page') throw invalid('groups', 'are of pages: leave out `key`')
    this.#groups = new PlaceGroups(groups ?? [])
  }

  /** Processes the way of one unit; `who` returns its name and is only valid during the call. */
  protected abstract way(way: Way, who: () => string): void

  /** @throws HopperError HOP_PARAM_INVALID if no unit visited `start` or `end` */
  protected finishWays(): void {
    this.finishShared()
    for (const [name, place] of [
      ['start', this.#start],
      ['end', this.#end],
    ] as const) {
      if (place !== undefined && !this.#visited.has(place))
        throw invalid(name, `is ${JSON.stringify(place)}, which nobody visited in this range`)
    }
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    const places: string[] = []
    const times: number[] = []
    for (let i = begin; i < end; i++) {
      const place = this.#placeOf(rows.group[i]!)
      if (places.at(-1) === place) continue
      places.push(place)
      times.push(rows.time[i]!)
    }
    for (const wanted of [this.#start, this.#end])
      if (wanted !== undefined && places.includes(wanted)) this.#visited.add(wanted)
    const first = this.#start === undefined ? 0 : places.indexOf(this.#start)
    if (first < 0) return
    const add = (from: number, to: number, step: number, leaves: boolean): void =>
      this.way({ places: places.slice(from, to), times: times.slice(from, to), step, leaves }, who)
    if (this.#end === undefined) return add(first, first + this.#depth, 0, places.length - first < this.#depth)
    const last = places.indexOf(this.#end, first)
    if (last < first) return
    const from = Math.max(first, last + 1 - this.#depth)
    add(from, last + 1, this.#depth - (last + 1 - from), false)
  }

  /** Returns the place of a value: the first group whose pattern matches it, else the value itself. */
  #placeOf(value: number): string {
    const known = this.#places[value]
    if (known !== undefined) return known
    return (this.#places[value] = this.#groups.placeOf(String(this.groups.values[value]!)))
  }
}
