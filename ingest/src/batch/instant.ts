// Further away no calendar of ours has a date of four digits for the year.
const INSTANT_MS_MAX = 253_402_300_799_999

/**
 * A time as it was sent, integer ms or ISO 8601, in ms since the epoch; undefined when it is neither, or out of the
 * calendar.
 */
export function instantOf(sent: unknown): number | undefined {
  const ms = typeof sent === 'string' ? Date.parse(sent) : sent
  return Number.isInteger(ms) && Math.abs(ms as number) <= INSTANT_MS_MAX ? (ms as number) : undefined
}
