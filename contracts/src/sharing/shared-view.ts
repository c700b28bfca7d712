import { Type, type Static } from 'typebox'
import { App } from '../app.ts'
import { limits } from '../limits.ts'
import type { Filter } from '../queries/filter.ts'
import { funnelUnits } from '../queries/funnel-query.ts'
import { queryLimits } from '../queries/query-limits.ts'
import { JourneyGroups } from '../queries/unit-queries.ts'
import { readCompare, readRange } from './range-choice.ts'
import { isIdentifyingKey, sharedBreakdowns, sharedPages, SHOW_ROBOTS } from './shareable.ts'

/** A condition that readers of a shared view cannot change. */
export const LockedFilter = Type.Object({
  key: Type.String({
    minLength: 1,
    maxLength: queryLimits.keyCharsMax,
    description: 'as in a query, but no key of a person, device, session or single event',
  }),
  value: Type.String({ minLength: 1, maxLength: queryLimits.valueCharsMax }),
  not: Type.Optional(Type.Boolean({ description: 'true: another value, or none' })),
})
export type LockedFilter = Static<typeof LockedFilter>

const place = Type.String({ minLength: 1, maxLength: limits.urlCharsMax })

/** One view of an app: a page of the dashboard with the question that it answers. */
export const SharedView = Type.Object({
  page: Type.Enum([...sharedPages]),
  funnel: Type.Optional(App.properties.id),
  range: Type.String({
    maxLength: 24,
    description: 'today, 7d, 30d, 90d or 12m, up to the day of reading; or two dates, 2026-01-01..2026-01-31',
  }),
  compare: Type.Optional(
    Type.String({ maxLength: 24, description: 'previous, year, or two dates; default: no comparison' }),
  ),
  filters: Type.Optional(Type.Array(LockedFilter, { maxItems: limits.sharedFiltersMax })),
  robots: Type.Optional(Type.Boolean({ description: 'true: with the events of robots' })),
  count_by: Type.Optional(Type.Enum([...funnelUnits], { description: 'default: person' })),
  breakdown: Type.Optional(Type.Enum([...sharedBreakdowns], { description: 'of a funnel' })),
  start: Type.Optional(place),
  end: Type.Optional(place),
  depth: Type.Optional(Type.Integer({ minimum: 2, maximum: 8 })),
  places: Type.Optional(
    Type.Enum(['groups', 'each', 'events'], {
      description: 'of journeys: pages in `groups` (default), every page by itself, or names of events',
    }),
  ),
  groups: Type.Optional(JourneyGroups),
})
export type SharedView = Static<typeof SharedView>

/** A fault of a view: the field, and what is wrong as the end of a sentence. */
export interface ViewFault {
  readonly field: string
  readonly message: string
}

const ofJourneys = ['start', 'end', 'depth', 'places', 'groups'] as const

/** Describes what is wrong with a view beyond its schema. */
export function faultsOfView(view: SharedView): ViewFault[] {
  const faults: ViewFault[] = []
  const range = readRange(view.range)
  if (!range) faults.push({ field: 'range', message: 'is today, 7d, 30d, 90d, 12m, or two dates like A..B' })
  if (view.compare !== undefined && !readCompare(view.compare))
    faults.push({ field: 'compare', message: 'is previous, year, or two dates like A..B' })
  if (view.page === 'funnel' && view.funnel === undefined)
    faults.push({ field: 'funnel', message: 'is required for the page of a funnel' })
  if (view.page === 'journeys' && view.funnel !== undefined)
    faults.push({ field: 'funnel', message: 'does not belong to journeys' })
  if (view.page !== 'funnel' && view.breakdown !== undefined)
    faults.push({ field: 'breakdown', message: 'belongs to the page of a funnel' })
  if (view.page !== 'journeys')
    for (const field of ofJourneys)
      if (view[field] !== undefined) faults.push({ field, message: 'belongs to journeys' })
  if (view.start !== undefined && view.end !== undefined)
    faults.push({ field: 'end', message: 'cannot be given together with `start`' })
  for (const [index, { key }] of (view.filters ?? []).entries())
    if (isIdentifyingKey(key))
      faults.push({ field: `filters[${index}].key`, message: 'is about somebody in particular, which is not shared' })
  return faults
}

/** Returns the conditions that every answer of a view has. */
export function filtersOfView({ filters = [], robots }: Pick<SharedView, 'filters' | 'robots'>): Filter[] {
  return [
    ...filters.map(({ key, value, not }): Filter => ({ type: not ? 'ne' : 'eq', key, value })),
    ...(robots ? [SHOW_ROBOTS] : []),
  ]
}
