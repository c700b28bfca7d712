const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })
const twoDigits = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 })

export const NOTHING = '–'
const MINUS = '−'
/** between a number and its %: thin, and never at the end of a line */
const THIN = '\u202f'

/** Formats a whole number: 1,234,567. */
export function formatCount(value: number): string {
  return signed(whole.format(value))
}

/** Formats a number for the axis of a chart: 1.2K, 3.4M. */
export function formatShort(value: number): string {
  return signed(short.format(value))
}

/** Formats a share of 1 as a percentage: one digit, two below 1 %; a dash for null. */
export function formatPercent(share: number | null): string {
  return share === null ? NOTHING : `${percentDigits(share * 100)}${THIN}%`
}

/** Formats the difference of two shares in percentage points, with its sign: +1.6 pts. */
export function formatPoints(difference: number): string {
  const digits = percentDigits(Math.abs(difference) * 100)
  const sign = Number(digits) === 0 ? '±' : difference > 0 ? '+' : MINUS
  return `${sign}${digits} pts`
}

/** Formats a relative change with its sign: +12.3 %; null for a change from 0, which has no percentage. */
export function formatChange(now: number, before: number): string | null {
  if (before === 0) return null
  const change = now / before - 1
  return `${change > 0 ? '+' : change < 0 ? MINUS : '±'}${percentDigits(Math.abs(change) * 100)}${THIN}%`
}

/** Formats a duration in a natural unit: 350 ms, 4.2 s, 3 min 5 s, 2 h 10 min, 1.5 d. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return NOTHING
  if (ms < 1000) return `${whole.format(ms)} ms`
  if (ms < 59_950) return `${oneDigit.format(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  return `${oneDigit.format(minutes / 1440)} d`
}

/** Formats seconds like `formatDuration`. */
export function formatSeconds(seconds: number | null): string {
  return formatDuration(seconds === null ? null : seconds * 1000)
}

/** Formats bytes in a decimal unit: 950 B, 1.2 MB, 3.4 GB. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let [value, unit] = [bytes, 0]
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1_000
  return `${(unit === 0 ? whole : oneDigit).format(value)} ${units[unit]!}`
}

/** Formats a rate with one digit: 12.3 events a second. */
export function formatRate(perSecond: number): string {
  return `${oneDigit.format(perSecond)} events a second`
}

function percentDigits(percent: number): string {
  return signed((percent !== 0 && Math.abs(percent) < 0.995 ? twoDigits : oneDigit).format(percent))
}

function two(first: number, unit: string, second: number, smaller: string): string {
  return second === 0 ? `${first} ${unit}` : `${first} ${unit} ${second} ${smaller}`
}

function signed(text: string): string {
  return text.replace('-', MINUS)
}
