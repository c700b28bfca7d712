import { createContext, use, type ReactNode } from 'react'
import type { Apps, Filter } from '@hopper/contracts'
import { includesToday, readCompare, readRange, resolveCompare, resolveRange, type DateRange } from './date-range.ts'
import { filtersOf, readChip, SHOW_ROBOTS, type Chip } from './filters.ts'
import type { Search, Unit } from './search.ts'

export type AppView = Apps['apps'][number]

export const DEFAULT_RANGE = '30d'

/** The question that all reports of a page answer: app, dates, filters and unit. */
export interface Scope {
  readonly app: AppView
  /** today's date in the app's time zone */
  readonly today: string
  readonly range: DateRange
  /** the period to compare with; absent without comparison */
  readonly compared?: DateRange
  readonly chips: readonly Chip[]
  /** the conditions of the chips, and that robots are shown */
  readonly filters: readonly Filter[]
  /** true if events of robots are shown, too */
  readonly robots: boolean
  readonly unit: Unit
  /** the unit for reports that cannot count sessions */
  readonly countBy: 'person' | 'device'
  /** true if new events can still change the answers */
  readonly live: boolean
}

/** A parameter of the address that cannot be read. */
export interface BadParameter {
  readonly name: 'range' | 'vs' | 'f'
  readonly text: string
}

/** Reads the scope of an app from the search parameters, or names those that cannot be read. */
export function readScope(app: AppView, search: Search, today: string): Scope | BadParameter {
  const choice = readRange(search.range ?? DEFAULT_RANGE)
  if (!choice) return { name: 'range', text: search.range! }
  const range = resolveRange(choice, today)
  const compare = search.vs === undefined ? undefined : readCompare(search.vs)
  if (search.vs !== undefined && !compare) return { name: 'vs', text: search.vs }
  const chips: Chip[] = []
  for (const text of search.f ?? []) {
    const chip = readChip(text)
    if (!chip) return { name: 'f', text }
    chips.push(chip)
  }
  const unit = search.unit ?? 'person'
  return {
    app,
    today,
    range,
    ...(compare ? { compared: resolveCompare(compare, range) } : {}),
    chips,
    filters: [...filtersOf(chips), ...(search.robots ? [SHOW_ROBOTS] : [])],
    robots: search.robots === 'shown',
    unit,
    countBy: unit === 'device' ? 'device' : 'person',
    live: includesToday(range, today),
  }
}

const ScopeContext = createContext<Scope | null>(null)

export function ScopeProvider({ scope, children }: { scope: Scope; children: ReactNode }): ReactNode {
  return <ScopeContext value={scope}>{children}</ScopeContext>
}

/** Returns the scope of the page; valid only inside the frame of an app. */
export function useScope(): Scope {
  const scope = use(ScopeContext)
  if (!scope) throw new Error('useScope is used outside the frame of an app')
  return scope
}
