import { HopperError } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { HeldLane } from './audit/held-lane.ts'

/** Watermarks may be ahead of the committed position by what was counted in its last seconds. */
const AHEAD_MAX = 20_000

type Parts = Pick<Storage, 'log' | 'lanes'>

/** Is told of a loss that was accepted. */
export interface ReachLogger {
  warn(details: object, message: string): void
}

interface LaneLoss {
  readonly lane: number
  readonly first: number
  readonly next: number
}

/**
 * Makes sure that the log still has what the tables have not counted, and does not end before what they have: a topic that was deleted and made again
 * gives new messages positions that pass for counted. With `acceptLoss` the lanes go on after what is gone, and the log says which positions that were.
 * @throws HopperError HOP_DATA_DAMAGED
 */
export async function assertLogReaches(parts: Parts, acceptLoss: boolean, logger: ReachLogger): Promise<void> {
  const { log, lanes } = parts
  const [starts, ends, done] = await Promise.all([log.starts?.() ?? [], log.ends(), lanes.positions()])
  const cut = lossesOf(done, (lane) => ({ lane, first: ends[lane] ?? 0, next: done[lane]! }))
  const gone = lossesOf(done, (lane) => ({ lane, first: done[lane]!, next: Math.min(starts[lane] ?? 0, ends[lane] ?? 0) }))
  if (cut.length === 0 && gone.length === 0) return
  if (!acceptLoss) throw refused(cut, gone)
  logger.warn({ endsBeforeCounted: cut, deletedUncounted: gone }, 'a loss of the log was accepted by --accept-loss')
  for (const { lane, next } of gone) await passTo(parts, lane, next)
  for (const { lane, next } of cut) {
    // Committed first: a process that dies in between finds the same again, and nothing of the filling is ever read.
    await passTo(parts, lane, next + AHEAD_MAX)
    await log.fill?.(lane, next + AHEAD_MAX)
  }
}

function lossesOf(done: readonly number[], of: (lane: number) => LaneLoss): LaneLoss[] {
  return done.map((_, lane) => of(lane)).filter(({ first, next }) => first < next)
}

function refused(cut: readonly LaneLoss[], gone: readonly LaneLoss[]): HopperError {
  const said = [
    ...cut.map(({ lane, first, next }) => `lane ${lane} ends at position ${first}, but ${next} is counted: the topic was made again or cut`),
    ...gone.map(({ lane, first, next }) => `lane ${lane} has lost positions ${first} to ${next - 1} before they were counted`),
  ]
  return new HopperError('HOP_DATA_DAMAGED', `The log does not fit the tables: ${said.join('; ')}.`, { details: { cut, gone } })
}

async function passTo({ lanes }: Parts, lane: number, position: number): Promise<void> {
  await using held = await HeldLane.take(lanes, lane, `accept-loss-${process.pid}`)
  await lanes.commit(held.lease, position)
}
