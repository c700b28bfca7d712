import { HopperError } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'

/** A position of a lane. */
export interface LanePosition {
  readonly lane: number
  readonly position: number
}

/**
 * Refuses to read the log from positions that it does not have: messages after them were deleted, or it is another log.
 * @throws HopperError HOP_EVENTS_GONE, or HOP_LOG_UNAVAILABLE if the log does not answer
 */
export async function assertKept(log: EventLog, wanted: readonly LanePosition[]): Promise<void> {
  const [starts, ends] = await Promise.all([log.starts?.(), log.ends()])
  const gone = wanted.find(({ lane, position }) => position < (starts?.[lane] ?? 0) || position > (ends[lane] ?? 0))
  if (!gone) return
  const { lane, position } = gone
  const kept = { first: starts?.[lane] ?? 0, next: ends[lane] ?? 0 }
  throw new HopperError('HOP_EVENTS_GONE', `The log does not have position ${position} of lane ${lane}.`, {
    details: { lane, position, kept },
  })
}
