const DAY_MS = 86_400_000
const DATES_MAX = 10_000
const dates = new Map<number, string>()

/** Returns the UTC date of an instant (ms since the epoch), like `2026-02-28`. */
export function utcDate(instant: number): string {
  const day = Math.floor(instant / DAY_MS)
  let date = dates.get(day)
  if (date === undefined) {
    if (dates.size >= DATES_MAX) dates.clear()
    dates.set(day, (date = new Date(day * DAY_MS).toISOString().slice(0, 10)))
  }
  return date
}
