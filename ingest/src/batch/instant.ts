// Dates beyond this have no four-digit year.
const INSTANT_MS_MAX = 253_402_300_799_999

/**
 * Converts a time as it was sent, integer ms or ISO 8601, to ms since the epoch; undefined when it is neither, or
 * outside of the calendar.
 */
export function instantOf(sent: unknown): number | undefined {
  const ms = typeof sent === 'string' ? Date.parse(sent) : sent
  return Number.isInteger(ms) && Math.abs(ms as number) <= INSTANT_MS_MAX ? (ms as number) : undefined
}
