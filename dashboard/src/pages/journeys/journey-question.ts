import type { JourneyPeopleQuery, JourneyResult, Meta } from '@hopper/contracts'
import { reportPath } from '../../api/paths.ts'
import type { Scope } from '../../state/scope.tsx'
import { JOURNEY_DEPTH, type Search } from '../../state/search.ts'
import type { PageGroup } from './journey-places.ts'

/** The answer of `GET journeys`. */
export type Journeys = JourneyResult & { readonly meta: Meta }

/** The key of events whose values are the places of `places=events`. */
export const EVENT_KEY = 'name'

/** Closes the panel of a link or a place. */
export const noPanel = { link: undefined, node: undefined, who: undefined } as const

/** Returns the path of the question about journeys in the scope of the page. */
export function journeysPath(scope: JourneyScope, search: JourneySearch, groups: readonly PageGroup[]): string {
  const { depth, groups: patterns, filters, ...rest } = parametersOf(scope, search, groups)
  return reportPath(scope.app.id, 'journeys', scope.range, {
    ...rest,
    depth: String(depth),
    groups: patterns && JSON.stringify(patterns),
    filters: filters && JSON.stringify(filters),
  })
}

/** Returns the question for the people of a node or a link of these journeys. */
export function journeyPeopleQuestion(
  scope: JourneyScope,
  search: JourneySearch,
  groups: readonly PageGroup[],
  part: Pick<JourneyPeopleQuery, 'node' | 'link'>,
  limit: number,
): JourneyPeopleQuery {
  const asked = { ...scope.range, ...parametersOf(scope, search, groups), ...part, limit }
  return JSON.parse(JSON.stringify(asked)) as JourneyPeopleQuery
}

type JourneyScope = Pick<Scope, 'range' | 'filters' | 'unit'> & { readonly app: { readonly id: string } }
type JourneySearch = Pick<Search, 'start' | 'end' | 'depth' | 'places'>

function parametersOf(
  { filters, unit }: JourneyScope,
  { start, end, depth, places }: JourneySearch,
  groups: readonly PageGroup[],
) {
  return {
    depth: depth ?? JOURNEY_DEPTH.default,
    start,
    // one of both: a journey that is cut at both ends says nothing of before and after
    end: start === undefined ? end : undefined,
    key: places === 'events' ? EVENT_KEY : undefined,
    groups: places === undefined && groups.length > 0 ? groups.map(({ pattern }) => pattern) : undefined,
    filters: filters.length === 0 ? undefined : filters,
    count_by: unit === 'person' ? undefined : unit,
  }
}
