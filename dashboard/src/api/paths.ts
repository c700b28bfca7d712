import type { DateRange } from '../state/date-range.ts'

type Values = Readonly<Record<string, string | undefined>>

/** Builds a path below an app, with query parameters. */
export function appPath(app: string, call: string, values: Values = {}): string {
  return withQuery(`/api/v1/apps/${encodeURIComponent(app)}/${call}`, values)
}

/** Builds the path of a report of an app over a range. */
export function reportPath(app: string, call: string, range: DateRange, values: Values = {}): string {
  return appPath(app, call, { from: range.from, to: range.to, ...values })
}

function withQuery(path: string, values: Values): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, value)
  const text = query.toString()
  return text === '' ? path : `${path}?${text}`
}
