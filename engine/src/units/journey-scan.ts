import {
  queryLimits,
  type Filter,
  type JourneyPeople,
  type JourneyRequest,
  type JourneyResult,
  type Truncatable,
} from '@hopper/contracts'
import { invalid, over } from '../filter/parse-filters.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'
import { JourneyGraph, hasLink } from './journey-graph.ts'
import { PlaceGroups } from './place-groups.ts'

const DEPTH_DEFAULT = 5
/** A visit to a page, in contrast to a click on it. */
const urlChange: Filter = { type: 'eq', key: 'type', value: 'url_change' }

/** Counts the paths that units take from place to place. */
export class JourneyScan extends UnitScan {
  readonly #depth: number
  readonly #start: string | undefined
  readonly #end: string | undefined
  /** those of `start` and `end` that any unit visited */
  readonly #visited = new Set<string>()
  readonly #graph = new JourneyGraph()
  readonly #groups: PlaceGroups
  /** the place of each breakdown value, by its number */
  readonly #places: string[] = []
  readonly #link: JourneyPeople | undefined
  readonly #people: string[] = []
  #isCut = false

  constructor(
    { from, to, depth, start, end, key, filters, groups, people, count_by }: JourneyRequest,
    budget?: Budget,
  ) {
    const place = key ?? 'page'
    const steps = [
      {
        name: 'place',
        filters: [...(filters ?? []), ...(key === undefined ? [urlChange] : []), { type: 'all' as const, key: place }],
      },
    ]
    const more = {
      ...(count_by ? { count_by } : {}),
      ...(people ? { people: { step: 1, outcome: 'reached' as const, limit: people.limit } } : {}),
    }
    super(new FunnelPlan({ from, to, steps, breakdown: place, ...more }, 0), budget)
    if (depth !== undefined && (!Number.isInteger(depth) || depth < 2))
      throw invalid('depth', 'must be a whole number of at least 2')
    if ((depth ?? 0) > queryLimits.journeyDepthMax) throw over('depth', 'journeyDepthMax')
    this.#depth = depth ?? DEPTH_DEFAULT
    this.#start = start
    this.#end = end
    if (groups && groups.length > 0 && place !== 'page') throw invalid('groups', 'are of pages: leave out `key`')
    this.#groups = new PlaceGroups(groups ?? [])
    for (const name of ['from', 'to'] as const)
      if (people && /^\d+\/other$/.test(people[name]))
        throw invalid(`people.${name}`, 'must be a place or an exit: `other` has many places')
    this.#link = people
  }

  /**
   * Returns the most used nodes and links; the others are folded into `other`.
   * @throws HopperError HOP_PARAM_INVALID if no unit visited `start` or `end`
   */
  finish(): Truncatable<JourneyResult> {
    this.finishShared()
    for (const [name, place] of [
      ['start', this.#start],
      ['end', this.#end],
    ] as const) {
      if (place !== undefined && !this.#visited.has(place))
        throw invalid(name, `is ${JSON.stringify(place)}, which nobody visited in this range`)
    }
    const graph = this.#graph.finish()
    if (!this.#link) return graph
    return { ...graph, people: this.#people, ...(this.#isCut ? { truncated: true as const } : {}) }
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    const places: string[] = []
    for (let i = begin; i < end; i++) {
      const place = this.#placeOf(rows.group[i]!)
      if (places.at(-1) !== place) places.push(place)
    }
    for (const wanted of [this.#start, this.#end])
      if (wanted !== undefined && places.includes(wanted)) this.#visited.add(wanted)
    const first = this.#start === undefined ? 0 : places.indexOf(this.#start)
    if (first < 0) return
    if (this.#end === undefined)
      return this.#add(places.slice(first, first + this.#depth), 0, places.length - first < this.#depth, who)
    const last = places.indexOf(this.#end, first)
    if (last < first) return
    const way = places.slice(Math.max(first, last + 1 - this.#depth), last + 1)
    this.#add(way, this.#depth - way.length, false, who)
  }

  #add(way: readonly string[], step: number, leaves: boolean, who: () => string): void {
    this.#graph.add(way, step, leaves)
    if (!this.#link || !hasLink(way, step, leaves, this.#link)) return
    if (this.#people.length < this.#link.limit) this.#people.push(who())
    else this.#isCut = true
  }

  /** Returns the place of a value: the first group whose pattern matches it, else the value itself. */
  #placeOf(value: number): string {
    const known = this.#places[value]
    if (known !== undefined) return known
    return (this.#places[value] = this.#groups.placeOf(String(this.groups.values[value]!)))
  }
}

/** Runs a complete journey query in this thread. */
export function queryJourneys(
  request: JourneyRequest,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<JourneyResult> {
  const scan = new JourneyScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
