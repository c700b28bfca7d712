import { keptFromAt, keptFromInstant, limits, rejectReasons } from '@hopper/contracts'
import { Dropped, type Batch, type Incoming } from '../batch/incoming.ts'

/** the first instant whose events are kept, by batch */
const kept = new WeakMap<Batch, number>()

/** Drops an event that is too old, too far ahead of its receipt, or older than its app keeps events. */
export function checkClock(incoming: Incoming): Incoming | Dropped {
  if (incoming.timestamp < limits.timestampMsMin) return new Dropped('too_old', rejectReasons.too_old)
  if (incoming.timestamp > incoming.batch.received_at + limits.aheadMsMax)
    return new Dropped('too_far_ahead', rejectReasons.too_far_ahead)
  if (incoming.timestamp < keptSince(incoming.batch)) return new Dropped('expired', rejectReasons.expired)
  return incoming
}

/** Returns the first instant (ms) whose events the app keeps at the time of receipt. */
function keptSince(batch: Batch): number {
  const { app, received_at } = batch
  if (typeof app.retention_days !== 'number' && app.kept_from === undefined) return 0
  let instant = kept.get(batch)
  if (instant === undefined) {
    const kept_from = keptFromAt(app, received_at)
    kept.set(batch, (instant = kept_from === undefined ? 0 : keptFromInstant({ ...app, kept_from })))
  }
  return instant
}
