import { isDate, shiftDate } from '../time-zone.ts'

/** The selected range: a preset relative to today, or two fixed dates. */
export type RangeChoice = { preset: RangePreset } | ChosenDates

export const rangePresets = ['today', '7d', '30d', '90d', '12m'] as const
export type RangePreset = (typeof rangePresets)[number]

/** Two local dates, both included. */
export interface ChosenDates {
  readonly from: string
  readonly to: string
}

/** The period to compare a range with: the previous one, the one 52 weeks earlier, or two given dates. */
export type CompareChoice = 'previous' | 'year' | ChosenDates

const DAY_MS = 86_400_000
/** Whole weeks, so that both periods have the same weekdays. */
const YEAR_DAYS = 364
const days: Record<Exclude<RangePreset, '12m'>, number> = { today: 1, '7d': 7, '30d': 30, '90d': 90 }

/** Resolves a choice to its first and last date, given today's date. */
export function resolveRange(choice: RangeChoice, today: string): ChosenDates {
  if (!('preset' in choice)) return { from: choice.from, to: choice.to }
  if (choice.preset === '12m') return { from: shiftDate(yearBefore(today), 1), to: today }
  return { from: shiftDate(today, 1 - days[choice.preset]), to: today }
}

/** Resolves the period to compare a range with. */
export function resolveCompare(choice: CompareChoice, range: ChosenDates): ChosenDates {
  if (choice === 'previous') return shiftRange(range, -1)
  if (choice === 'year') return { from: shiftDate(range.from, -YEAR_DAYS), to: shiftDate(range.to, -YEAR_DAYS) }
  return choice
}

/** Returns the range, shifted by `by` times its own length. */
export function shiftRange(range: ChosenDates, by: number): ChosenDates {
  const length = daysOf(range) * by
  return { from: shiftDate(range.from, length), to: shiftDate(range.to, length) }
}

/** Parses the text of a range, `30d` or `2026-01-01..2026-01-31`; undefined if it is none. */
export function readRange(text: string): RangeChoice | undefined {
  const preset = rangePresets.find((name) => name === text)
  if (preset) return { preset }
  const [from = '', to = '', ...rest] = text.split('..')
  return rest.length === 0 && isDate(from) && isDate(to) && from <= to ? { from, to } : undefined
}

/** Parses the text of a comparison, `previous`, `year` or two dates; undefined if it is none. */
export function readCompare(text: string): CompareChoice | undefined {
  if (text === 'previous' || text === 'year') return text
  const range = readRange(text)
  return range && !('preset' in range) ? range : undefined
}

/** Serializes a range: the name of a preset, or `FROM..TO`. */
export function rangeText(range: RangeChoice): string {
  return 'preset' in range ? range.preset : `${range.from}..${range.to}`
}

/** Returns the number of dates in a range, both ends included. */
export function daysOf({ from, to }: ChosenDates): number {
  return (utc(to) - utc(from)) / DAY_MS + 1
}

/** Returns the same date a year before; February 29 becomes February 28. */
function yearBefore(date: string): string {
  const earlier = `${String(Number(date.slice(0, 4)) - 1).padStart(4, '0')}${date.slice(4)}`
  return isDate(earlier) ? earlier : `${earlier.slice(0, 8)}28`
}

function utc(date: string): number {
  return Date.parse(`${date}T00:00:00Z`)
}
