import { isIdentifyingKey, sharedBreakdowns, type SharedView } from '@hopper/contracts'
import { chipText } from '../state/filters.ts'
import type { Scope } from '../state/scope.tsx'
import { formatQuery, type Search } from '../state/search.ts'

/** Returns the address inside of the dashboard that shows a view. */
export function addressOf(app: string, view: SharedView): string {
  const search: Search = {
    range: view.range,
    ...(view.compare === undefined ? {} : { vs: view.compare }),
    ...(view.filters && view.filters.length > 0
      ? { f: view.filters.map(({ key, value, not }) => chipText({ key, value, ...(not ? { not: true } : {}) })) }
      : {}),
    ...(view.count_by === undefined || view.count_by === 'person' ? {} : { unit: view.count_by }),
    ...(view.robots ? { robots: 'shown' } : {}),
    ...(view.breakdown === undefined ? {} : { by: view.breakdown }),
    ...(view.page === 'elements' && view.funnel !== undefined ? { funnel: view.funnel } : {}),
    ...(view.start === undefined ? {} : { start: view.start }),
    ...(view.end === undefined ? {} : { end: view.end }),
    ...(view.depth === undefined ? {} : { depth: view.depth }),
    ...(view.places === undefined || view.places === 'groups' ? {} : { places: view.places }),
  }
  return `/a/${encodeURIComponent(app)}/${pathOfView(view)}${formatQuery(search as Record<string, unknown>)}`
}

function pathOfView({ page, funnel = '' }: SharedView): string {
  return page === 'funnel' ? `funnels/${encodeURIComponent(funnel)}` : page
}

/** Parameters that a page adds to the question of the bar. */
export type ViewOfPage = Pick<SharedView, 'page' | 'funnel' | 'groups'>

/** Returns the view that an address shows, to share it. */
export function viewOf(
  of: ViewOfPage,
  { chips, robots, unit }: Pick<Scope, 'chips' | 'robots' | 'unit'>,
  search: Search,
  defaultRange: string,
): SharedView {
  const { page, funnel, groups } = of
  const breakdown = page === 'funnel' ? sharedBreakdowns.find((key) => key === search.by) : undefined
  return {
    page,
    range: search.range ?? defaultRange,
    ...(funnel === undefined ? {} : { funnel }),
    ...(search.vs === undefined ? {} : { compare: search.vs }),
    ...(chips.length === 0
      ? {}
      : { filters: chips.map(({ key, value, not }) => ({ key, value, ...(not ? { not: true } : {}) })) }),
    ...(robots ? { robots } : {}),
    ...(unit === 'person' ? {} : { count_by: unit }),
    ...(breakdown === undefined ? {} : { breakdown }),
    ...(page === 'journeys' ? journeysOf(search, groups) : {}),
  }
}

function journeysOf({ start, end, depth, places }: Search, groups: SharedView['groups']): Partial<SharedView> {
  return {
    ...(start === undefined ? {} : { start }),
    ...(end === undefined || start !== undefined ? {} : { end }),
    ...(depth === undefined ? {} : { depth }),
    ...(places === undefined ? {} : { places }),
    ...(places === undefined && groups && groups.length > 0 ? { groups } : {}),
  }
}

/** Returns whether a view cannot be shared because a filter is about somebody in particular. */
export function isPersonal({ chips }: Pick<Scope, 'chips'>): boolean {
  return chips.some(({ key }) => isIdentifyingKey(key))
}
