import { limits, rejectReasons } from '@hopper/contracts'
import { Dropped, type Incoming } from '../batch/incoming.ts'

export function checkClock(incoming: Incoming): Incoming | Dropped {
  if (incoming.timestamp < limits.timestampMsMin) return new Dropped('too_old', rejectReasons.too_old)
  if (incoming.timestamp > incoming.batch.received_at + limits.aheadMsMax)
    return new Dropped('too_far_ahead', rejectReasons.too_far_ahead)
  return incoming
}
