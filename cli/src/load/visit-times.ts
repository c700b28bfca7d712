import type { Random } from './random.ts'

export const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000

/** Sunday first: more people buy at the weekend. */
const weekdays = [1.22, 0.98, 0.92, 0.94, 0.97, 0.9, 1.12]
/** January first: a dip in summer and a peak in the weeks before Christmas. */
const months = [0.92, 0.88, 0.95, 0.97, 0.98, 0.9, 0.78, 0.76, 0.98, 1.08, 1.42, 1.55]
/** by hour of the day: a lunch break and an evening peak */
const hours = [12, 7, 4, 3, 3, 6, 14, 28, 42, 52, 58, 62, 70, 66, 58, 56, 58, 64, 76, 92, 100, 88, 58, 28].map(
  (weight, hour) => [hour, weight] as const,
)
/** visits of the last day per visit of the first, seasons aside */
const GROWTH = 2.4
const CAMPAIGN_CHANCE = 0.02

/**
 * Returns the number of visits that begin on each day; the sum is about `visits`. It models growth, seasons, weekdays,
 * a little noise, and occasional campaigns.
 */
export function visitsByDay(days: readonly number[], visits: number, random: Random): number[] {
  const weights = days.map((dayMs, index) => {
    const date = new Date(dayMs)
    const growth = GROWTH ** (index / Math.max(1, days.length - 1))
    const campaign = random.chance(CAMPAIGN_CHANCE) ? 1.5 + random.next() : 1
    return (
      growth * weekdays[date.getUTCDay()]! * months[date.getUTCMonth()]! * Math.exp(0.08 * random.normal()) * campaign
    )
  })
  const scale = visits / weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => Math.round(weight * scale))
}

/** Returns the start times of a day's visits, ascending, in ms since the epoch. */
export function startsOfDay(dayMs: number, visits: number, random: Random): number[] {
  return Array.from(
    { length: visits },
    () => dayMs + random.weighted(hours) * HOUR_MS + random.integer(0, HOUR_MS - 1),
  ).sort((a, b) => a - b)
}
