import { shiftDate, type TimeZone } from '@hopper/contracts'

const DAYS_OF_WEEK = 7

/** A period by its first and last local date. */
export interface Period {
  readonly from: string
  readonly to: string
}

/** Returns the Monday of the week of a date. */
export function mondayOf(date: string): string {
  const day = new Date(`${date}T00:00:00Z`).getUTCDay()
  return shiftDate(date, -((day + 6) % DAYS_OF_WEEK))
}

/**
 * Returns the latest day or week of which everything is known at `completeTo`: it has ended, and so has the funnel's
 * window for people who started at its end.
 */
export function latestSettled(kind: 'day' | 'week', zone: TimeZone, completeTo: number, windowMs: number): Period {
  const open = zone.dateOf(completeTo - windowMs)
  if (kind === 'day') return { from: shiftDate(open, -1), to: shiftDate(open, -1) }
  const monday = mondayOf(open)
  return { from: shiftDate(monday, -DAYS_OF_WEEK), to: shiftDate(monday, -1) }
}

/** Returns the same weekdays of the `count` weeks before a period, the latest first. */
export function weeksBefore({ from, to }: Period, count: number): Period[] {
  return Array.from({ length: count }, (_, i) => {
    const days = -DAYS_OF_WEEK * (i + 1)
    return { from: shiftDate(from, days), to: shiftDate(to, days) }
  })
}
