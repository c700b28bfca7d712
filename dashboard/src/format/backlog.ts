import type { Status } from '@hopper/contracts'
import { formatCount, formatSeconds } from './numbers.ts'

/** Shorter lags are normal while events come in. */
const LAG_SECONDS_MIN = 3

/** Formats a lag: "12,000 events are being counted (about 20 s left)"; undefined for no lag or a momentary one. */
export function backlogText({ events, seconds, remaining_seconds: remaining }: Status['lag']): string | undefined {
  if (events === 0 || (seconds !== null && seconds < LAG_SECONDS_MIN)) return undefined
  const left = remaining === null ? '' : ` (about ${formatSeconds(Math.max(1, Math.ceil(remaining)))} left)`
  return `${formatCount(events)} ${events === 1 ? 'event is' : 'events are'} being counted${left}`
}
