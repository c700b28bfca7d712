import { isIdentifyingKey, sharedBreakdowns, sharedForms, type LockedFilter, type SharedView } from '@hopper/contracts'
import { chipText, readChip, type Chip } from '../state/filters.ts'
import type { Scope } from '../state/scope.tsx'
import { formatQuery, type Search } from '../state/search.ts'
import { sharingWords } from './shared-words.ts'

/** Returns the address inside of the dashboard that shows a view. */
export function addressOf(app: string, view: SharedView): string {
  const search: Search = {
    range: view.range,
    ...(view.compare === undefined ? {} : { vs: view.compare }),
    ...(view.filters && view.filters.length > 0 ? { f: view.filters.map(textOf) } : {}),
    ...(view.count_by === undefined || view.count_by === 'person' ? {} : { unit: view.count_by }),
    ...(view.robots ? { robots: 'shown' } : {}),
    ...(view.breakdown === undefined ? {} : { by: view.breakdown }),
    ...(view.page === 'elements' && view.funnel !== undefined ? { funnel: view.funnel } : {}),
    ...(view.start === undefined ? {} : { start: view.start }),
    ...(view.end === undefined ? {} : { end: view.end }),
    ...(view.depth === undefined ? {} : { depth: view.depth }),
    ...(view.places === undefined || view.places === 'groups' ? {} : { places: view.places }),
    ...(view.event === undefined ? {} : { what: textOf(view.event) }),
    ...(view.again === undefined ? {} : { again: textOf(view.again) }),
    ...(view.shown_as === undefined || view.shown_as === 'table' ? {} : { as: view.shown_as }),
    ...(view.each === 'day' ? { each: view.each } : {}),
  }
  return `/a/${encodeURIComponent(app)}/${pathOfView(view)}${formatQuery(search as Record<string, unknown>)}`
}

function textOf({ key, value, not }: LockedFilter): string {
  return chipText({ key, value, ...(not ? { not: true } : {}) })
}

function lockedOf({ key, value, not }: Chip): LockedFilter {
  return { key, value, ...(not ? { not } : {}) }
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
  const breakdown = isBrokenDown(page, search) ? sharedBreakdowns.find((key) => key === search.by) : undefined
  return {
    page,
    range: search.range ?? defaultRange,
    ...(funnel === undefined ? {} : { funnel }),
    ...(search.vs === undefined || page === 'explore' ? {} : { compare: search.vs }),
    ...(chips.length === 0 ? {} : { filters: chips.map(lockedOf) }),
    ...(robots ? { robots } : {}),
    ...(unit === 'person' ? {} : { count_by: unit }),
    ...(breakdown === undefined ? {} : { breakdown }),
    ...(page === 'journeys' ? journeysOf(search, groups) : {}),
    ...(page === 'explore' ? questionOf(search) : {}),
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

/** Retention is not broken down. */
function isBrokenDown(page: SharedView['page'], { as }: Search): boolean {
  return page === 'funnel' || (page === 'explore' && as !== 'retention')
}

function questionOf({ what, again, as, each }: Search): Partial<SharedView> {
  const [event, later] = [what, again].map((text) => (text === undefined ? undefined : readChip(text)))
  const form = sharedForms.find((one) => one === as)
  const isRetention = form === 'retention'
  return {
    ...(event ? { event: lockedOf(event) } : {}),
    ...(isRetention && later ? { again: lockedOf(later) } : {}),
    ...(form === undefined ? {} : { shown_as: form }),
    ...(isRetention && each !== undefined ? { each } : {}),
  }
}

/** Returns why a view cannot be shared; undefined if it can. */
export function refusalOf({ page }: ViewOfPage, { chips }: Pick<Scope, 'chips'>, search: Search): string | undefined {
  const events = page === 'explore' ? [search.what, search.again].map((text) => readChip(text ?? '')) : []
  if ([...chips, ...events].some((chip) => chip !== undefined && isIdentifyingKey(chip.key)))
    return sharingWords.personal
  if (page !== 'explore') return undefined
  if (search.as === 'events') return sharingWords.events
  if (search.by === undefined || !isBrokenDown(page, search)) return undefined
  if (search.as === 'line') return sharingWords.lines
  return sharedBreakdowns.some((key) => key === search.by) ? undefined : sharingWords.noBreakdown
}
