import { queryLimits, type Truncatable, type Filter, type JourneyRequest, type JourneyResult } from '@hopper/contracts'
import { invalid, over } from '../filter/parse-filters.ts'
import { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'
import { JourneyGraph } from './journey-graph.ts'

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

  constructor({ from, to, depth, start, end, key, filters, count_by }: JourneyRequest, budget?: Budget) {
    const place = key ?? 'page'
    const steps = [
      {
        name: 'place',
        filters: [...(filters ?? []), ...(key === undefined ? [urlChange] : []), { type: 'all' as const, key: place }],
      },
    ]
    super(new FunnelPlan({ from, to, steps, breakdown: place, ...(count_by ? { count_by } : {}) }, 0), budget)
    if (depth !== undefined && (!Number.isInteger(depth) || depth < 2))
      throw invalid('depth', 'must be a whole number of at least 2')
    if ((depth ?? 0) > queryLimits.journeyDepthMax) throw over('depth', 'journeyDepthMax')
    this.#depth = depth ?? DEPTH_DEFAULT
    this.#start = start
    this.#end = end
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
    return this.#graph.finish()
  }

  protected override unit(rows: UnitRows, begin: number, end: number): void {
    const places: string[] = []
    for (let i = begin; i < end; i++) {
      const place = String(this.groups.values[rows.group[i]!]!)
      if (places.at(-1) !== place) places.push(place)
    }
    for (const wanted of [this.#start, this.#end])
      if (wanted !== undefined && places.includes(wanted)) this.#visited.add(wanted)
    const first = this.#start === undefined ? 0 : places.indexOf(this.#start)
    if (first < 0) return
    if (this.#end === undefined)
      return this.#graph.add(places.slice(first, first + this.#depth), 0, places.length - first < this.#depth)
    const last = places.indexOf(this.#end, first)
    if (last < first) return
    const way = places.slice(Math.max(first, last + 1 - this.#depth), last + 1)
    this.#graph.add(way, this.#depth - way.length, false)
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
