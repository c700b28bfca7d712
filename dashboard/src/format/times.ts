type Options = Intl.DateTimeFormatOptions
const formats = new Map<string, Intl.DateTimeFormat>()

/** The time zone of the browser: that of instants which belong to no app. */
export const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** Caches formatters: they are slow to create, and a chart formats each of its points. */
function formatIn(timezone: string, options: Options): Intl.DateTimeFormat {
  const key = `${timezone} ${JSON.stringify(options)}`
  let format = formats.get(key)
  if (!format) formats.set(key, (format = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, ...options })))
  return format
}

/** Formats an instant: 31 Jan 2026, 14:05:09. */
export function formatInstant(timezone: string, at: number): string {
  return formatIn(timezone, { dateStyle: 'medium', timeStyle: 'medium' }).format(at)
}

/** Formats a time: 14:05:09. */
export function formatClock(timezone: string, at: number): string {
  return formatIn(timezone, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(at)
}

/** Formats the hour or date that starts at an instant. */
export function formatStep(timezone: string, at: number, step: 'hour' | 'day'): string {
  return formatIn(
    timezone,
    step === 'day'
      ? { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }
      : { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  ).format(at)
}

/** Formats the same, short enough for an axis. */
export function formatTick(timezone: string, at: number, step: 'hour' | 'day'): string {
  return formatIn(
    timezone,
    step === 'day' ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  ).format(at)
}

/** Formats a date like `2026-01-31`, which has no time zone: 31 Jan 2026. */
export function formatDate(date: string): string {
  return formatIn('UTC', { dateStyle: 'medium' }).format(Date.parse(`${date}T00:00:00Z`))
}

/** Formats two dates as a range: 25 – 31 Jan. */
export function formatDates(from: string, to: string): string {
  return from === to ? formatDate(from) : `${formatDate(from)} – ${formatDate(to)}`
}
