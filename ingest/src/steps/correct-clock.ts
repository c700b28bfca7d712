import { limits } from '@hopper/contracts'
import type { Incoming } from '../batch/incoming.ts'

/**
 * A sender whose clock is wrong says so by `sent_at`: its times are moved by the difference, and its own time is kept.
 */
export function correctClock(incoming: Incoming): Incoming {
  const { clockBehindMs } = incoming.batch
  if (Math.abs(clockBehindMs) <= limits.clockSkewMsMax || incoming.wire.timestamp === undefined) return incoming
  incoming.client_time = incoming.timestamp
  incoming.timestamp += clockBehindMs
  return incoming
}
