import { daysOf, type ChosenDates as DateRange } from '@hopper/contracts'

export {
  daysOf,
  isDate,
  rangePresets as presets,
  rangeText,
  readCompare,
  readRange,
  resolveCompare,
  resolveRange,
  shiftDate,
  shiftRange,
  type ChosenDates as DateRange,
  type CompareChoice,
  type RangeChoice,
  type RangePreset as Preset,
} from '@hopper/contracts'

/** Maximum number of days of a range drawn by hour; longer ones are drawn by date. */
const HOURLY_DAYS_MAX = 3
/** Minimum number of days of a range whose trend is drawn by week. */
const WEEKLY_DAYS_MIN = 120

/** Returns the date of an instant in a time zone, like `2026-01-31`. */
export function dateIn(timezone: string, at: number): string {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(at)
}

/** Returns the interval of charts of traffic: hours only for short ranges, where they remain readable. */
export function trafficStep(range: DateRange): 'hour' | 'day' {
  return daysOf(range) > HOURLY_DAYS_MAX ? 'day' : 'hour'
}

/** Returns the interval of trends: weeks for long ranges. */
export function trendStep(range: DateRange): 'day' | 'week' {
  return daysOf(range) < WEEKLY_DAYS_MIN ? 'day' : 'week'
}

/** Returns whether new events can still fall into the range. */
export function includesToday({ from, to }: DateRange, today: string): boolean {
  return from <= today && today <= to
}
