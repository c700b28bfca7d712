import { Type, type Static } from 'typebox'
import { App } from '../app.ts'
import { limits } from '../limits.ts'
import type { Filter } from '../queries/filter.ts'
import { funnelUnits } from '../queries/funnel-query.ts'
import { queryLimits } from '../queries/query-limits.ts'
import { JourneyGroups } from '../queries/unit-queries.ts'
import { readCompare, readRange } from './range-choice.ts'
import { isIdentifyingKey, sharedBreakdowns, sharedForms, sharedPages, SHOW_ROBOTS } from './shareable.ts'

const conditionFields = {
  key: Type.String({
    minLength: 1,
    maxLength: queryLimits.keyCharsMax,
    description: 'as in a query, but no key of a person, device, session or single event',
  }),
  value: Type.String({ minLength: 1, maxLength: queryLimits.valueCharsMax }),
  not: Type.Optional(Type.Boolean({ description: 'true: another value, or none' })),
}

/** A condition that readers of a shared view cannot change. */
export const LockedFilter = condition()
export type LockedFilter = Static<typeof LockedFilter>

function condition(description?: string) {
  return Type.Object(conditionFields, description === undefined ? {} : { description })
}

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
  breakdown: Type.Optional(Type.Enum([...sharedBreakdowns], { description: 'of a funnel, or of a question' })),
  start: Type.Optional(place),
  end: Type.Optional(place),
  depth: Type.Optional(Type.Integer({ minimum: 2, maximum: 8 })),
  places: Type.Optional(
    Type.Enum(['groups', 'each', 'events'], {
      description: 'of journeys: pages in `groups` (default), every page by itself, or names of events',
    }),
  ),
  groups: Type.Optional(JourneyGroups),
  event: Type.Optional(condition('events that a question of Explore counts; default: any event')),
  again: Type.Optional(condition('events with which people come back; default: those of `event`')),
  shown_as: Type.Optional(
    Type.Enum([...sharedForms], { description: 'of a question; retention: who comes back; default: table' }),
  ),
  each: Type.Optional(Type.Enum(['day', 'week'], { description: 'periods in which people come back; default: week' })),
})
export type SharedView = Static<typeof SharedView>

/** A fault of a view: the field, and what is wrong as the end of a sentence. */
export interface ViewFault {
  readonly field: string
  readonly message: string
}

/** Fields that belong to one page. */
const fieldsOfPages = {
  journeys: ['start', 'end', 'depth', 'places', 'groups'],
  explore: ['event', 'again', 'shown_as', 'each'],
} as const

/** Describes what is wrong with a view beyond its schema. */
export function faultsOfView(view: SharedView): ViewFault[] {
  const faults: ViewFault[] = []
  if (!readRange(view.range))
    faults.push({ field: 'range', message: 'is today, 7d, 30d, 90d, 12m, or two dates like A..B' })
  if (view.compare !== undefined && !readCompare(view.compare))
    faults.push({ field: 'compare', message: 'is previous, year, or two dates like A..B' })
  if (view.page === 'funnel' && view.funnel === undefined)
    faults.push({ field: 'funnel', message: 'is required for the page of a funnel' })
  if (view.start !== undefined && view.end !== undefined)
    faults.push({ field: 'end', message: 'cannot be given together with `start`' })
  return [...faults, ...strangersIn(view), ...faultsOfQuestion(view), ...personalConditionsOf(view)]
}

/** Fields that belong to other pages. */
function strangersIn(view: SharedView): ViewFault[] {
  const faults: ViewFault[] = []
  const refuse = (field: keyof SharedView, message: string): void => {
    if (view[field] !== undefined) faults.push({ field, message })
  }
  for (const [page, fields] of Object.entries(fieldsOfPages))
    if (view.page !== page) for (const field of fields) refuse(field, `belongs to ${page}`)
  if (view.page === 'journeys' || view.page === 'explore') refuse('funnel', `does not belong to ${view.page}`)
  if (view.page === 'explore') refuse('compare', 'does not belong to explore')
  if (view.page !== 'funnel' && view.page !== 'explore') refuse('breakdown', 'belongs to a funnel or to explore')
  return faults
}

/** A line for each value of a breakdown is a question of its own with one more filter, which readers cannot ask. */
function faultsOfQuestion({ shown_as: form, breakdown, again, each }: SharedView): ViewFault[] {
  const faults: ViewFault[] = []
  if (breakdown !== undefined && (form === 'line' || form === 'retention'))
    faults.push({ field: 'breakdown', message: `cannot be shared as ${form}: share it as table or bar` })
  if (form === 'retention') return faults
  if (again !== undefined) faults.push({ field: 'again', message: 'belongs to `shown_as` retention' })
  if (each !== undefined) faults.push({ field: 'each', message: 'belongs to `shown_as` retention' })
  return faults
}

function personalConditionsOf({ filters = [], event, again }: SharedView): ViewFault[] {
  const conditions = [
    ...filters.map((filter, index) => [`filters[${index}]`, filter] as const),
    ...(event ? [['event', event] as const] : []),
    ...(again ? [['again', again] as const] : []),
  ]
  return conditions
    .filter(([, { key }]) => isIdentifyingKey(key))
    .map(([field]) => ({ field: `${field}.key`, message: 'is about somebody in particular, which is not shared' }))
}

/** Returns the condition of a locked filter. */
export function conditionOf({ key, value, not }: LockedFilter): Filter {
  return { type: not ? 'ne' : 'eq', key, value }
}

/** Returns the conditions that every answer of a view has. */
export function filtersOfView({ filters = [], robots }: Pick<SharedView, 'filters' | 'robots'>): Filter[] {
  return [...filters.map(conditionOf), ...(robots ? [SHOW_ROBOTS] : [])]
}
