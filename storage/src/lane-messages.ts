import { HopperError } from '@hopper/contracts'
import type { EventLog, LogMessage } from './ports/event-log.ts'

const MESSAGES_PER_READ = 10_000
const READ_BYTES_MAX = 8_000_000

/**
 * Yields the messages of a lane from one position up to another, in order, without owning the lane; some megabytes at a
 * time.
 * @throws HopperError HOP_LOG_UNAVAILABLE when the log yields no more before `to`, unless `to` is infinite
 */
export async function* laneMessages(
  log: Pick<EventLog, 'read'>,
  lane: number,
  from: number,
  to: number,
): AsyncGenerator<readonly LogMessage[]> {
  for (let next = from; next < to;) {
    const read = await log.read(lane, next, MESSAGES_PER_READ, READ_BYTES_MAX)
    const messages = read.filter(({ position }) => position < to)
    if (messages.length > 0) yield messages
    if (read.length === 0) {
      if (to === Infinity) return
      throw new HopperError(
        'HOP_LOG_UNAVAILABLE',
        `Lane ${lane} of the log ends at ${to}, but returns nothing from position ${next}.`,
      )
    }
    next = read.at(-1)!.position + 1
  }
}
