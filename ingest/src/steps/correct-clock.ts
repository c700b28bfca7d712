import { limits } from '@hopper/contracts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * Corrects times of a sender whose clock is wrong, as `sent_at` shows: they are shifted by the difference, and the
 * sender's own time is kept as `client_time`.
 */
export function correctClock(incoming: Incoming): Incoming {
  const { clockBehindMs } = incoming.batch
  if (Math.abs(clockBehindMs) <= limits.clockSkewMsMax || incoming.wire.timestamp === undefined) return incoming
  incoming.client_time = incoming.timestamp
  incoming.timestamp += clockBehindMs
  return incoming
}
