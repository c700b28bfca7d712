/** The selected range: a preset relative to today, or two fixed dates. */
export type RangeChoice = { preset: Preset } | DateRange

export const presets = ['today', '7d', '30d', '90d', '12m'] as const
export type Preset = (typeof presets)[number]

export interface DateRange {
  readonly from: string
  readonly to: string
}

/** The period that a range is compared with: the one before, the one 52 weeks before, or one of one's own. */
export type CompareChoice = 'previous' | 'year' | DateRange

const DAY_MS = 86_400_000
/** Maximum number of days of a range drawn by hour; longer ones are drawn by date. */
const HOURLY_DAYS_MAX = 3
/** Minimum number of days of a range whose trend is drawn by week. */
const WEEKLY_DAYS_MIN = 120
/** Whole weeks, so that both periods have the same weekdays. */
const YEAR_DAYS = 364
const days: Record<Exclude<Preset, '12m'>, number> = { today: 1, '7d': 7, '30d': 30, '90d': 90 }

/** Returns the date of an instant in a time zone, like `2026-01-31`. */
export function dateIn(timezone: string, at: number): string {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(at)
}

/** Resolves a choice to its first and last date, given today's date. */
export function resolveRange(choice: RangeChoice, today: string): DateRange {
  if (!('preset' in choice)) return { from: choice.from, to: choice.to }
  if (choice.preset === '12m') return { from: shiftDate(yearBefore(today), 1), to: today }
  return { from: shiftDate(today, 1 - days[choice.preset]), to: today }
}

/** Resolves the period to compare a range with. */
export function resolveCompare(choice: CompareChoice, range: DateRange): DateRange {
  if (choice === 'previous') return shiftRange(range, -1)
  if (choice === 'year') return { from: shiftDate(range.from, -YEAR_DAYS), to: shiftDate(range.to, -YEAR_DAYS) }
  return choice
}

/** Returns the period that lies `by` lengths of the range later. */
export function shiftRange(range: DateRange, by: number): DateRange {
  const length = daysOf(range) * by
  return { from: shiftDate(range.from, length), to: shiftDate(range.to, length) }
}

/** Parses the text of a range in the address; undefined if it is none. */
export function readRange(text: string): RangeChoice | undefined {
  const preset = presets.find((name) => name === text)
  if (preset) return { preset }
  const [from = '', to = '', ...rest] = text.split('..')
  return rest.length === 0 && isDate(from) && isDate(to) && from <= to ? { from, to } : undefined
}

/** Parses the text of a comparison in the address; undefined if it is none. */
export function readCompare(text: string): CompareChoice | undefined {
  if (text === 'previous' || text === 'year') return text
  const range = readRange(text)
  return range && !('preset' in range) ? range : undefined
}

export function rangeText(range: RangeChoice): string {
  return 'preset' in range ? range.preset : `${range.from}..${range.to}`
}

export function daysOf({ from, to }: DateRange): number {
  return (utc(to) - utc(from)) / DAY_MS + 1
}

export function trafficStep(range: DateRange): 'hour' | 'day' {
  return daysOf(range) > HOURLY_DAYS_MAX ? 'day' : 'hour'
}

export function trendStep(range: DateRange): 'day' | 'week' {
  return daysOf(range) < WEEKLY_DAYS_MIN ? 'day' : 'week'
}

/** Returns whether new events can still fall into the range. */
export function includesToday({ from, to }: DateRange, today: string): boolean {
  return from <= today && today <= to
}

export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(utc(text)) && shiftDate(text, 0) === text
}

export function shiftDate(date: string, by: number): string {
  return new Date(utc(date) + by * DAY_MS).toISOString().slice(0, 10)
}

/** Returns the same date a year before; February 29 becomes February 28. */
function yearBefore(date: string): string {
  const earlier = `${String(Number(date.slice(0, 4)) - 1).padStart(4, '0')}${date.slice(4)}`
  return isDate(earlier) ? earlier : `${earlier.slice(0, 8)}28`
}

function utc(date: string): number {
  return Date.parse(`${date}T00:00:00Z`)
}
