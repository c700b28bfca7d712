import {
  DATE_RULE,
  HopperError,
  datesBetween,
  isDate,
  limits,
  shiftDate,
  timeZone,
  type App,
  type TimeZone,
} from '@hopper/contracts'

const DEFAULT_DAYS = 7
const DAY_MS = 86_400_000

/** A closed range of an app's local dates. */
export interface DateRange {
  readonly from: string
  readonly to: string
  /** those of the range whose events the app keeps, ascending */
  readonly dates: readonly string[]
  readonly zone: TimeZone
}

/**
 * Resolves `?from&to` for an app at an instant: dates in its time zone, by default the last 7 days including today.
 * @throws HopperError HOP_RANGE_INVALID
 */
export function dateRange(parameters: { from?: string; to?: string }, app: App, now: number): DateRange {
  const zone = timeZone(app.timezone)
  for (const field of ['from', 'to'] as const) {
    const date = parameters[field]
    if (date !== undefined && !isDate(date))
      throw invalid(field, `must be ${DATE_RULE}; not ${JSON.stringify(date.slice(0, 40))}`)
  }
  const to = parameters.to ?? zone.dateOf(now)
  const from = parameters.from ?? shiftDate(to, 1 - DEFAULT_DAYS)
  if (from > to) throw invalid('from', `(${from}) is after to (${to})`)
  if (Date.parse(to) - Date.parse(from) >= limits.rangeDaysMax * DAY_MS)
    throw invalid('from', `(${from}) is more than ${limits.rangeDaysMax} days before to (${to})`)
  // Older events have expired, although their removal may take a while.
  const { kept_from = '' } = app
  return { from, to, dates: datesBetween(from, to).filter((date) => date >= kept_from), zone }
}

function invalid(field: string, message: string): HopperError {
  return new HopperError('HOP_RANGE_INVALID', `${field} ${message}.`, { details: { fields: [{ field, message }] } })
}
