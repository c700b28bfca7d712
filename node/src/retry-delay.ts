/** Longest pause that Retry-After is believed. */
const RETRY_AFTER_MS_MAX = 3_600_000

interface Backoff {
  readonly retryBaseMs: number
  readonly retryMaxMs: number
}

/**
 * Pause before a retry: exponential backoff with full jitter, a random time up to a bound that doubles with each failed
 * attempt, so that many clients do not come back together.
 */
export function retryDelay(failures: number, { retryBaseMs, retryMaxMs }: Backoff, random = Math.random): number {
  return Math.round(random() * Math.min(retryMaxMs, retryBaseMs * 2 ** (failures - 1)))
}

/** Reads `Retry-After` (RFC 9110): seconds or a date. Returns ms, at most an hour; undefined when it is neither. */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined
  const ms = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - now
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX)
}
