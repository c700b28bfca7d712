import { DATE_RULE, HopperError, isDate, keptFromInstant, shiftDate, type App, timeZone } from '@hopper/contracts'

/** An instant without events: range of a query whose dates have all expired, since the engine needs a range. */
const NOTHING = { from: 0, to: 1 } as const

/** A half-open range of instants whose events the app keeps, with the requested local dates. */
export interface InstantRange {
  readonly from: number
  readonly to: number
  readonly dates: { readonly from: string; readonly to: string }
}

/**
 * Resolves the two ends of a query: ms since the epoch, ISO 8601 with an offset, or a date of the app. An end date is
 * included.
 * @throws HopperError HOP_RANGE_INVALID
 */
export function instantRange(
  app: App,
  begin: number | string,
  end: number | string,
  names: readonly [string, string] = ['from', 'to'],
): InstantRange {
  const zone = timeZone(app.timezone)
  const instant = (value: number | string, daysOn: number, field: string): number => {
    if (typeof value === 'string' && isDate(value)) return zone.startOf(shiftDate(value, daysOn))
    const parsed = typeof value === 'number' ? value : /T.*(Z|[+-]\d\d:?\d\d)$/.test(value) ? Date.parse(value) : NaN
    if (Number.isFinite(parsed) && parsed >= 0 && parsed <= LAST_MS) return parsed
    throw invalid(
      field,
      `must be ms since the epoch, ISO 8601 with an offset, or ${DATE_RULE}; not ${JSON.stringify(value).slice(0, 42)}`,
    )
  }
  const from = instant(begin, 0, names[0])
  const to = instant(end, 1, names[1])
  if (from >= to) throw invalid(names[0], `must be before ${names[1]}`)
  const dates = { from: zone.dateOf(from), to: zone.dateOf(to - 1) }
  // Older events have expired, although their removal may take a while.
  const kept = keptFromInstant(app)
  return to <= kept ? { ...NOTHING, dates } : { from: Math.max(0, from, kept), to, dates }
}

function invalid(field: string, message: string): HopperError {
  return new HopperError('HOP_RANGE_INVALID', `${field} ${message}.`, { details: { fields: [{ field, message }] } })
}

/** the end of the last date, in UTC */
const LAST_MS = Date.UTC(9999, 0, 1)
