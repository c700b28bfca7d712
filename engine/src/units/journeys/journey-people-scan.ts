import type { JourneyPeopleRequest, JourneyPersonRow, PeopleRequest, PersonRow } from '@hopper/contracts'
import type { QueryContext } from '../../funnel/funnel-tally.ts'
import type { LaneInput } from '../../funnel/scan/unit-scan.ts'
import type { Budget } from '../../scan/budget.ts'
import { checkPart, indexOfPart, type Way } from './journey-way.ts'
import { PeoplePage } from '../people/people-page.ts'
import { PeopleRows } from '../people/people-rows.ts'
import type { FoundPeople, FoundPerson } from '../people/people-scan.ts'
import { placeFilters, WayScan } from './way-scan.ts'

/** Finds a page of the people who came to a node of journeys, or took a link, the latest first. */
export class JourneyPeopleScan extends WayScan {
  readonly #request: JourneyPeopleRequest
  readonly #page: PeoplePage<FoundPerson>

  constructor(request: JourneyPeopleRequest, budget?: Budget) {
    super(request, budget, { step: 1, outcome: 'reached', limit: request.limit })
    checkPart(request)
    this.#request = request
    this.#page = new PeoplePage(request)
  }

  /** @throws HopperError HOP_PARAM_INVALID if no unit visited `start` or `end` */
  finish(): FoundPeople {
    this.finishWays()
    return this.#page.finish()
  }

  protected override way(way: Way, who: () => string): void {
    const index = indexOfPart(way, this.#request)
    if (index < 0) return
    const entered = way.times[index]!
    this.#page.add(entered, () => ({ id: who(), entered_at: entered, steps: 1, cause: null, stepAt: entered }))
  }
}

/** Returns the query for the rows of people of a journey, whose events are their visits of places. */
export function rowsRequest(request: JourneyPeopleRequest): PeopleRequest {
  const { from, to, filters, count_by, limit } = request
  return {
    from,
    to,
    steps: [{ name: 'place', filters: placeFilters(request) }],
    step: 1,
    outcome: 'reached',
    // the shortest window: no event after the range belongs to a journey
    window_ms: 1,
    limit,
    ...(filters ? { filters } : {}),
    ...(count_by ? { count_by } : {}),
  }
}

/** Leaves out of a row what only a funnel has. */
export function journeyRow({ steps: _steps, cause: _cause, next: _next, ...row }: PersonRow): JourneyPersonRow {
  return row
}

/** Runs a complete query for people of journeys in this thread; names are left out. */
export function queryJourneyPeople(
  request: JourneyPeopleRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Omit<FoundPeople, 'people'> & { readonly people: readonly JourneyPersonRow[] } {
  const scan = new JourneyPeopleScan(request, budget)
  for (const lane of lanes) scan.scanLane(lane)
  const { total, people, more } = scan.finish()
  const rows = new PeopleRows(rowsRequest(request), people, context, budget)
  for (const lane of lanes) rows.scanLane(lane)
  return { total, more, people: rows.finish().map(journeyRow) }
}
