/** The selected range: a preset relative to today, or two fixed dates. */
export type RangeChoice = { preset: Preset } | { from: string; to: string }

export const presets = ['today', '7d', '30d', '90d', '12m'] as const
export type Preset = (typeof presets)[number]

export const presetNames: Record<Preset, string> = {
  today: 'Today',
  '7d': '7 days',
  '30d': '30 days',
  '90d': '90 days',
  '12m': '12 months',
}

export interface DateRange {
  readonly from: string
  readonly to: string
}

const DAY_MS = 86_400_000
/** Maximum number of days of a range drawn by hour; longer ones are drawn by date. */
const HOURLY_DAYS_MAX = 3
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

export function daysOf({ from, to }: DateRange): number {
  return (utc(to) - utc(from)) / DAY_MS + 1
}

export function trafficStep(range: DateRange): 'hour' | 'day' {
  return daysOf(range) > HOURLY_DAYS_MAX ? 'day' : 'hour'
}

/** Tells whether new events can still fall into the range. */
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
