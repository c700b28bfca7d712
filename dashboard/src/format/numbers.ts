const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })
const percent = new Intl.NumberFormat('en', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
const oneDigit = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 })

export const NOTHING = '–'

export function formatCount(value: number): string {
  return whole.format(value)
}

/** For the axis of a chart: 1.2K, 3.4M. */
export function formatShort(value: number): string {
  return short.format(value)
}

/** `share` of 1. */
export function formatPercent(share: number): string {
  return percent.format(share)
}

/** A duration in the unit a person would say: 350 ms, 4.2 s, 3 min 05 s, 2 h 10 min. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return NOTHING
  if (ms < 1000) return `${whole.format(ms)} ms`
  if (ms < 59_950) return `${oneDigit.format(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
  return `${Math.floor(minutes / 1440)} d ${pad(Math.floor((minutes % 1440) / 60))} h`
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
