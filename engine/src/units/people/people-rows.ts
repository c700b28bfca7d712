import { limits, type PeopleRequest, type PersonRow, type Value } from '@hopper/contracts'
import type { QueryContext } from '../../funnel/funnel-tally.ts'
import { FunnelPlan } from '../../funnel/plan/funnel-plan.ts'
import type { UnitRows } from '../../funnel/scan/unit-rows.ts'
import { UnitScan, type LaneInput } from '../../funnel/scan/unit-scan.ts'
import { unlimitedBudget, type Budget } from '../../scan/budget.ts'
import { CombinedPlan } from '../combined-plan.ts'
import { NextPlaceScan, placePlan } from '../journeys/next-place-scan.ts'
import { OutcomeScan } from '../outcome-scan.ts'
import { PeopleScan, type FoundPerson, type FoundPeople } from './people-scan.ts'

/** Keys whose value is that of the first event of an attempt, by the field of a row. */
const attributes = { device: 'device', source: 'channel', country: 'country' } as const
type Attribute = keyof typeof attributes
const attributeNames = Object.keys(attributes) as readonly Attribute[]

/**
 * Plan of the cells of a page of people: the funnel by each attribute, all events, and the views after the last step.
 */
export class RowsPlan extends CombinedPlan {
  readonly byAttribute: readonly FunnelPlan[]
  readonly events: FunnelPlan
  readonly views: FunnelPlan

  constructor({ step: _step, outcome: _outcome, value: _value, ...request }: PeopleRequest) {
    const byAttribute = attributeNames.map((name) => new FunnelPlan({ ...request, breakdown: attributes[name] }))
    const { unit, windowMs } = byAttribute[0]!
    const { from, to, filters = [] } = request
    const steps = [{ name: 'event', filters: [] }]
    const events = new FunnelPlan({ from, to, filters, steps, breakdown: 'page', count_by: unit }, windowMs)
    const views = placePlan(request, unit, 'url_change', 'page', windowMs + limits.sessionPauseMs)
    super([...byAttribute, events, views])
    this.byAttribute = byAttribute
    this.events = events
    this.views = views
  }
}

/** Collects the cells of the rows of a page of people. Lanes need only the chunks and devices of these people. */
export class PeopleRows {
  readonly plan: RowsPlan
  readonly withTieBreakers = true
  readonly #people: ReadonlyMap<string, FoundPerson>
  readonly #facts = new Map<string, Partial<PersonRow>>()
  readonly #scans: readonly { scanLane(lane: LaneInput): void; finish(): void }[]

  constructor(
    request: PeopleRequest,
    people: readonly FoundPerson[],
    context: QueryContext,
    budget: Budget = unlimitedBudget,
  ) {
    this.plan = new RowsPlan(request)
    this.#people = new Map(people.map((person) => [person.id, person]))
    const { byAttribute, events, views } = this.plan
    this.#scans = [
      ...byAttribute.map(
        (plan, index) =>
          new OutcomeScan(plan, context, budget, ({ who, first }) =>
            this.#record(who(), () => ({ [attributeNames[index]!]: textOf(first()) })),
          ),
      ),
      new LastEventScan(events, budget, (name, last) => this.#record(name, () => last())),
      new NextPlaceScan({
        plan: views,
        budget,
        after: (name) => this.#people.get(name)?.stepAt,
        elsewhere: true,
        placeOf: (page) => page,
        found: (next, name) => this.#record(name, () => ({ next })),
      }),
    ]
  }

  scanLane(lane: LaneInput): void {
    for (const scan of this.#scans) scan.scanLane(lane)
  }

  /** Returns the rows, in the order of the people; nothing can be scanned afterwards. */
  finish(): PersonRow[] {
    for (const scan of this.#scans) scan.finish()
    return [...this.#people.values()].map(({ id, entered_at, steps, cause }) => {
      const {
        device = null,
        source = null,
        country = null,
        last_at,
        last_page = null,
        next,
      } = this.#facts.get(id) ?? {}
      return {
        id,
        device,
        source,
        country,
        entered_at,
        last_at: last_at ?? entered_at,
        last_page,
        steps,
        cause,
        ...(next === undefined ? {} : { next }),
      }
    })
  }

  #record(name: string, facts: () => Partial<PersonRow>): void {
    if (this.#people.has(name)) this.#facts.set(name, { ...this.#facts.get(name), ...facts() })
  }
}

type FoundLast = (name: string, last: () => Pick<PersonRow, 'last_at' | 'last_page'>) => void

/** Finds the last event of each unit, and the page of its last event that has one. */
class LastEventScan extends UnitScan {
  readonly #found: FoundLast

  constructor(plan: FunnelPlan, budget: Budget, found: FoundLast) {
    super(plan, budget)
    this.#found = found
  }

  finish(): void {
    this.finishShared()
  }

  protected override unit(rows: UnitRows, begin: number, end: number, who: () => string): void {
    this.#found(who(), () => {
      let row = end - 1
      while (row > begin && this.#pageAt(rows, row) === null) row--
      return { last_at: rows.time[end - 1]!, last_page: this.#pageAt(rows, row) }
    })
  }

  #pageAt(rows: UnitRows, row: number): string | null {
    return textOf(this.groups.values[rows.group[row]!])
  }
}

function textOf(value: Value | null | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}

/** Runs a complete query for people in this thread; names are left out. */
export function queryPeople(
  request: PeopleRequest,
  context: QueryContext,
  lanes: readonly LaneInput[],
  budget?: Budget,
): Omit<FoundPeople, 'people'> & { readonly people: readonly PersonRow[] } {
  const scan = new PeopleScan(request, context, budget)
  for (const lane of lanes) scan.scanLane(lane)
  const { total, people, more } = scan.finish()
  const rows = new PeopleRows(request, people, context, budget)
  for (const lane of lanes) rows.scanLane(lane)
  return { total, more, people: rows.finish() }
}
