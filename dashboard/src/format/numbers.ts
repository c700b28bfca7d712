const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const percent = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export const NOTHING = '–'

export function formatCount(value: number): string {
  return whole.format(value)
}

/** Formats a number for the axis of a chart: 1.2K, 3.4M. */
export function formatShort(value: number): string {
  return short.format(value)
}

/** Formats a share of 1 as a percentage; null has none. */
export function formatPercent(share: number | null): string {
  return share === null ? NOTHING : percent.format(share)
}

/** Formats a duration in a natural unit: 350 ms, 4.2 s, 3:05 min, 2:10 h. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return NOTHING
  if (ms < 1000) return `${whole.format(ms)} ms`
  if (ms < 59_950) return `${oneDigit.format(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${pad(seconds % 60)} min`
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)}:${pad(minutes % 60)} h`
  return `${oneDigit.format(minutes / 1440)} d`
}

export function formatSeconds(seconds: number | null): string {
  return formatDuration(seconds === null ? null : seconds * 1000)
}

export function formatRate(perSecond: number): string {
  return `${oneDigit.format(perSecond)} / s`
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
