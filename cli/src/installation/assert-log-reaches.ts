import { HopperError } from '@hopper/contracts'
import { describeLoss, lossOf, type LaneLoss, type Storage } from '@hopper/storage'
import { LaneLease } from './lane-lease.ts'

/**
 * Maximum number of messages by which watermarks may be ahead of the committed position: those counted in its last
 * seconds.
 */
const AHEAD_MAX = 20_000

type Parts = Pick<Storage, 'log' | 'lanes' | 'registry'>

/** Receives accepted losses. */
export interface ReachLogger {
  warn(details: object, message: string): void
}

/**
 * Checks that the log still has the messages that the tables have not counted, and does not end before those that they
 * have: a topic that was deleted and created again gives new messages positions that seem to be counted. With
 * `acceptLoss` the lanes continue after the lost messages, and the registry records the positions lost.
 * @throws HopperError HOP_DATA_DAMAGED
 */
export async function assertLogReaches(parts: Parts, acceptLoss: boolean, logger: ReachLogger): Promise<void> {
  const { log, lanes } = parts
  const [starts, ends, done] = await Promise.all([log.starts?.() ?? [], log.ends(), lanes.positions()])
  const losses = done
    .map((counted, lane) => lossOf(lane, counted, { start: starts[lane] ?? 0, end: ends[lane] ?? 0 }))
    .filter((loss) => loss !== undefined)
  if (losses.length === 0) return
  const [cut, gone] = [losses.filter(({ isCut }) => isCut), losses.filter(({ isCut }) => !isCut)]
  if (!acceptLoss) throw lossError(losses)
  logger.warn({ endsBeforeCounted: cut, deletedUncounted: gone }, 'a loss of the log was accepted by --accept-loss')
  for (const { lane, first, next, isCut } of losses) {
    await parts.registry.losses.put('', `${lane}-${first}`, {
      lane,
      first,
      next,
      is_cut: isCut,
      accepted_at: Date.now(),
    })
  }
  for (const { lane, next } of gone) await passTo(parts, lane, next)
  for (const { lane, next } of cut) {
    // Committed before it is filled: a process that dies in between finds the same loss again, and the filler is never
    // read.
    await passTo(parts, lane, next + AHEAD_MAX)
    await log.fill?.(lane, next + AHEAD_MAX)
  }
}

function lossError(losses: readonly LaneLoss[]): HopperError {
  return new HopperError(
    'HOP_DATA_DAMAGED',
    `The log does not fit the tables: ${losses.map(describeLoss).join('; ')}.`,
    { details: { losses } },
  )
}

async function passTo({ lanes }: Parts, lane: number, position: number): Promise<void> {
  await using held = await LaneLease.take(lanes, lane, `accept-loss-${process.pid}`)
  await lanes.commit(held.lease, position)
}
