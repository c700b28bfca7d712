import {
  filtersOfView,
  readCompare,
  readRange,
  resolveCompare,
  resolveRange,
  timeZone,
  type App,
  type ChosenDates,
  type Filter,
  type SharedView,
} from '@hopper/contracts'

/** A page that was opened before midnight may still ask for the range of yesterday. */
const GRACE_MS = 10 * 60_000

/** Everything that readers of a shared link may ask about. */
export interface SharedScope {
  readonly view: SharedView
  /** conditions that every answer has */
  readonly filters: readonly Filter[]
  /** the range and the one that it is compared with; around midnight also those of the day before */
  readonly ranges: readonly ChosenDates[]
}

/** Resolves a view at an instant. */
export function sharedScope(view: SharedView, { timezone }: Pick<App, 'timezone'>, now: number): SharedScope {
  const zone = timeZone(timezone)
  const todays = new Set([zone.dateOf(now), zone.dateOf(now - GRACE_MS)])
  return { view, filters: filtersOfView(view), ranges: [...todays].flatMap((today) => rangesOf(view, today)) }
}

/** An overview always has changes since the period before. */
function rangesOf({ page, range: text, compare: comparison }: SharedView, today: string): ChosenDates[] {
  const choice = readRange(text)
  if (!choice) return []
  const range = resolveRange(choice, today)
  const compared = readCompare(comparison ?? (page === 'overview' ? 'previous' : ''))
  return compared === undefined ? [range] : [range, resolveCompare(compared, range)]
}
