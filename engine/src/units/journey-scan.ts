import { queryLimits, type JourneyRequest, type JourneyResult } from '@hopper/contracts'
import { invalid, over } from '../filter/parse-filters.ts'
import { FunnelPlan } from '../funnel/funnel-plan.ts'
import type { UnitRows } from '../funnel/unit-rows.ts'
import { UnitScan, type LaneInput } from '../funnel/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'

const KEY_DEFAULT = 'to'
const DEPTH_DEFAULT = 5

/** Counts the ways that units take from place to place, and how many went each. */
export class JourneyScan extends UnitScan {
  readonly #depth: number
  readonly #start: string | undefined
  readonly #end: string | undefined
  readonly #users = new Map<string, number>()
  readonly #links = new Map<string, { from: string; to: string; users: number }>()
  readonly #nodes = new Map<string, { step: number; value: string }>()

  constructor({ from, to, depth, start, end, key = KEY_DEFAULT, filters, count_by }: JourneyRequest, budget?: Budget) {
    const steps = [{ name: 'place', filters: [...(filters ?? []), { type: 'all' as const, key }] }]
    super(new FunnelPlan({ from, to, steps, breakdown: key, ...(count_by ? { count_by } : {}) }, 0), budget)
    if (depth !== undefined && (!Number.isInteger(depth) || depth < 2)) throw invalid('depth', 'must be a whole number from 2 on')
    if ((depth ?? 0) > queryLimits.journeyDepthMax) throw over('depth', 'journeyDepthMax')
    this.#depth = depth ?? DEPTH_DEFAULT
    this.#start = start
    this.#end = end
  }

  /** The most used links, and the nodes that they join; a node nobody went on from stands alone. */
  finish(): JourneyResult {
    this.finishShared()
    const byUsers = (a: { users: number; id: string }, b: { users: number; id: string }): number => b.users - a.users || (a.id < b.id ? -1 : 1)
    const links = [...this.#links].map(([id, link]) => ({ id, ...link })).sort(byUsers).slice(0, queryLimits.journeyLinksMax)
    const nodes = [...this.#nodes].map(([id, node]) => ({ id, ...node, users: this.#users.get(id)! })).sort((a, b) => a.step - b.step || byUsers(a, b))
    const joined = new Set(links.flatMap((link) => [link.from, link.to]))
    const kept = nodes.length <= queryLimits.journeyLinksMax ? nodes : nodes.filter((node) => joined.has(node.id))
    return { nodes: kept, links: links.map(({ from, to, users }) => ({ from, to, users })) }
  }

  protected override unit(rows: UnitRows, begin: number, end: number): void {
    const places: string[] = []
    for (let i = begin; i < end; i++) {
      const place = String(this.groups.values[rows.group[i]!]!)
      if (places.at(-1) !== place) places.push(place)
    }
    const first = this.#start === undefined ? 0 : places.indexOf(this.#start)
    if (first < 0) return
    const last = this.#end === undefined ? places.length - 1 : places.indexOf(this.#end, first)
    if (last < first) return
    const way = this.#end === undefined ? places.slice(first, first + this.#depth) : places.slice(Math.max(first, last + 1 - this.#depth), last + 1)
    const offset = this.#end === undefined ? 0 : this.#depth - way.length
    const ids = way.map((value, i) => this.#node(offset + i, value))
    for (let i = 1; i < ids.length; i++) this.#link(ids[i - 1]!, ids[i]!)
  }

  #node(step: number, value: string): string {
    const id = `${step}:${value}`
    if (!this.#nodes.has(id)) this.#nodes.set(id, { step, value })
    this.#users.set(id, (this.#users.get(id) ?? 0) + 1)
    return id
  }

  #link(from: string, to: string): void {
    const name = JSON.stringify([from, to])
    const link = this.#links.get(name)
    if (link) link.users++
    else this.#links.set(name, { from, to, users: 1 })
  }
}

/** Runs a whole journey query in this thread. */
export function queryJourneys(request: JourneyRequest, lanes: readonly LaneInput[], budget?: Budget): JourneyResult {
  const scan = new JourneyScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
