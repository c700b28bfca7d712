import { datesBetween, queryLimits, shiftDate, timeZone, type TrendStep } from '@hopper/contracts'
import { over } from '../filter/parse-filters.ts'

/** Returns the starts of the days or weeks (from Monday) of a range, followed by the end of the last one. */
export function bucketStarts(from: number, to: number, step: TrendStep, timezone: string): Float64Array {
  const zone = timeZone(timezone)
  const first = zone.dateOf(from)
  const weekday = (new Date(`${first}T00:00:00Z`).getUTCDay() + 6) % 7
  const begin = step === 'week' ? shiftDate(first, -weekday) : first
  const dates = datesBetween(begin, zone.dateOf(to - 1)).filter((_, i) => step === 'day' || i % 7 === 0)
  if (dates.length > queryLimits.trendBucketsMax) throw over('trend', 'trendBucketsMax')
  return Float64Array.from([...dates, shiftDate(dates.at(-1)!, step === 'day' ? 1 : 7)], (date) => zone.startOf(date))
}

/** Finds the bucket of an instant, which must be between the first start and the last end. */
export function bucketAt(starts: Float64Array, time: number): number {
  let low = 0
  let high = starts.length - 2
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (starts[middle]! <= time) low = middle
    else high = middle - 1
  }
  return low
}
