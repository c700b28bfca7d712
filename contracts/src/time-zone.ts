/** Calendar of an IANA time zone: dates are local `YYYY-MM-DD`, instants are ms since the epoch. */
export interface TimeZone {
  readonly name: string
  /** the local date of an instant */
  dateOf(timestamp: number): string
  /** the instant at which a local date begins; in zones that skip midnight, the first instant of that date */
  startOf(date: string): number
  /** whole hours since the local date began: 0..24, because a date with a clock change has 23 or 25 hours */
  hourOf(timestamp: number): number
}

const QUARTER_MS = 15 * 60_000
const DAY_MS = 86_400_000
const OFFSETS_MAX = 200_000
const zones = new Map<string, TimeZone>()

/** @throws RangeError for a name that is not in the IANA database */
export function timeZone(name: string): TimeZone {
  let zone = zones.get(name)
  if (!zone) zones.set(name, (zone = createTimeZone(name)))
  return zone
}

/** Returns whether this runtime knows a time zone by this IANA name. */
export function isTimeZone(name: string): boolean {
  try {
    timeZone(name)
    return true
  } catch {
    return false
  }
}

function createTimeZone(name: string): TimeZone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  // Since 2000 every zone changes its offset at a multiple of 15 minutes UTC: offsets are cached per quarter-hour.
  const offsets = new Map<number, number>()
  const dates = new Map<number, string>()
  const starts = new Map<string, number>()

  const offsetAt = (timestamp: number): number => {
    const quarter = Math.floor(timestamp / QUARTER_MS)
    let offset = offsets.get(quarter)
    if (offset === undefined) {
      if (offsets.size >= OFFSETS_MAX) offsets.clear()
      offsets.set(quarter, (offset = readOffset(format, quarter * QUARTER_MS)))
    }
    return offset
  }
  const dateOf = (timestamp: number): string => {
    const day = Math.floor((timestamp + offsetAt(timestamp)) / DAY_MS)
    let date = dates.get(day)
    if (date === undefined) {
      if (dates.size >= OFFSETS_MAX) dates.clear()
      dates.set(day, (date = new Date(day * DAY_MS).toISOString().slice(0, 10)))
    }
    return date
  }
  const startOf = (date: string): number => {
    let start = starts.get(date)
    if (start === undefined) {
      if (starts.size >= OFFSETS_MAX) starts.clear()
      starts.set(date, (start = firstInstant(Date.parse(`${date}T00:00:00Z`), date, dateOf)))
    }
    return start
  }
  return {
    name,
    dateOf,
    startOf,
    hourOf: (timestamp) => Math.floor((timestamp - startOf(dateOf(timestamp))) / 3_600_000),
  }
}

function readOffset(format: Intl.DateTimeFormat, timestamp: number): number {
  const part: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(timestamp)) if (type !== 'literal') part[type] = Number(value)
  return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second) - timestamp
}

/**
 * Finds the start of a local date: the first quarter of an hour whose date is not before `date`. Local midnight is
 * within 15 hours of UTC midnight.
 */
function firstInstant(midnightUtc: number, date: string, dateOf: (timestamp: number) => string): number {
  let low = Math.floor((midnightUtc - 15 * 3_600_000) / QUARTER_MS)
  let high = Math.ceil((midnightUtc + 15 * 3_600_000) / QUARTER_MS)
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (dateOf(middle * QUARTER_MS) >= date) high = middle
    else low = middle + 1
  }
  return low * QUARTER_MS
}

/** Lists the dates from `from` to `to`, both inclusive, ascending. Both must be valid dates, `from` not after `to`. */
export function datesBetween(from: string, to: string): string[] {
  const dates: string[] = []
  for (
    let start = Date.parse(`${from}T00:00:00Z`), end = Date.parse(`${to}T00:00:00Z`);
    start <= end;
    start += DAY_MS
  ) {
    dates.push(new Date(start).toISOString().slice(0, 10))
  }
  return dates
}

/** No event is older than the epoch. */
const FIRST_DATE = '1970-01-01'
/** Dates are compared as texts, which needs years of four digits, those of the dates after a range included. */
const LAST_DATE = '9998-12-31'
/** Describes a valid date, for messages about invalid ones. */
export const DATE_RULE = `a date from ${FIRST_DATE} to ${LAST_DATE}, like 2026-01-31`

/** Returns whether a text is a date of the calendar, like `2026-02-28`, that ranges may have. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text < FIRST_DATE || text > LAST_DATE) return false
  const at = Date.parse(`${text}T00:00:00Z`)
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text
}

/** Shifts a date by whole days, negative for earlier. */
export function shiftDate(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}
