import type { SourcePlace, SourcesRequest, SourcesResult, Truncatable } from '@hopper/contracts'
import type { FunnelPlan } from '../funnel/plan/funnel-plan.ts'
import type { LaneInput } from '../funnel/scan/unit-scan.ts'
import type { Budget } from '../scan/budget.ts'
import { DistinctScan } from './distinct-scan.ts'

type Row = SourcesResult['rows'][number]

/** Counts users and sessions by one key of their source. */
export class SourceScan {
  /** reads the columns of both counts */
  readonly plan: FunnelPlan
  readonly withTieBreakers = true
  /** the order of simultaneous events does not change these counts */
  readonly hasUnresolvedTies = false
  /** counts the users; also determines which events match and whether devices are resolved to persons */
  readonly users: DistinctScan
  readonly #sessions: DistinctScan
  readonly #request: SourcesRequest

  constructor(request: SourcesRequest, budget?: Budget) {
    const { from, to, filters, by, count_by } = request
    this.#request = request
    this.users = new DistinctScan({ from, to, filters, breakdown: by, count_by }, budget)
    this.#sessions = new DistinctScan({ from, to, filters, breakdown: by, count_by: 'session' }, budget)
    this.plan = this.#sessions.plan
  }

  scanLane(lane: LaneInput): void {
    this.users.scanLane(lane)
    this.#sessions.scanLane(lane)
  }

  /** Returns one page of rows. */
  finish(): Truncatable<SourcesResult> {
    const { search = '', after, limit } = this.#request
    const users = this.users.counts()
    const sessions = this.#sessions.counts()
    const wanted = search.toLowerCase()
    const all: Row[] = []
    for (const [key, count] of users.byValue) {
      // events without the key have no row
      if (key === null) continue
      const value = String(key)
      if (!value.toLowerCase().includes(wanted)) continue
      all.push({ value, users: count, sessions: sessions.byValue.get(key) ?? 0, share: count / users.count })
    }
    all.sort((a, b) => this.#compare(this.#placeOf(a), this.#placeOf(b)))
    const rest = after === undefined ? all : all.filter((row) => this.#compare(this.#placeOf(row), after) > 0)
    const rows = rest.slice(0, limit)
    return {
      total_users: users.count,
      rows,
      next: rest.length > limit ? this.#placeOf(rows.at(-1)!) : null,
      ...(users.rest > 0 && { truncated: true as const }),
    }
  }

  #placeOf(row: Row): SourcePlace {
    return { at: row[this.#request.order], value: row.value }
  }

  /** Orders rows, and rows that are equal in this order by their value. */
  #compare(a: SourcePlace, b: SourcePlace): number {
    const order = a.at < b.at ? -1 : a.at > b.at ? 1 : 0
    return (this.#request.descending ? -order : order) || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
  }
}

/** Runs a complete query for sources in this thread. */
export function querySources(
  request: SourcesRequest,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Truncatable<SourcesResult> {
  const scan = new SourceScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  return scan.finish()
}
