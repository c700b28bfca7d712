import type { JourneyPeople, JourneyResult, Meta } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import type { Scope } from '../../state/scope.tsx'
import { JOURNEY_DEPTH, type Search } from '../../state/search.ts'
import type { PageGroup } from './journey-places.ts'

/** The answer of `GET journeys`. */
export type Journeys = JourneyResult & { readonly meta: Meta }

/** The key of events whose values are the places of `places=events`. */
export const EVENT_KEY = 'name'

/** Returns the path of the question about journeys in the scope of the page. */
export function journeysPath(
  { app, range, filters, unit }: Pick<Scope, 'range' | 'filters' | 'unit'> & { readonly app: { readonly id: string } },
  { start, end, depth, places }: Pick<Search, 'start' | 'end' | 'depth' | 'places'>,
  groups: readonly PageGroup[],
  people?: JourneyPeople,
): string {
  return reportPath(app.id, 'journeys', range, {
    depth: String(depth ?? JOURNEY_DEPTH.default),
    start,
    // one of both: a journey that is cut at both ends says nothing of before and after
    end: start === undefined ? end : undefined,
    key: places === 'events' ? EVENT_KEY : undefined,
    groups:
      places === undefined && groups.length > 0 ? JSON.stringify(groups.map(({ pattern }) => pattern)) : undefined,
    filters: filters.length === 0 ? undefined : JSON.stringify(filters),
    count_by: unit === 'person' ? undefined : unit,
    people: people && JSON.stringify(people),
  })
}
