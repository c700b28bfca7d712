import type { EventLog, LogMessage } from '@hopper/storage'

const MESSAGES_PER_READ = 2_000

/** The messages of a lane from a position on, before another, in order, without owning the lane. */
export async function* laneMessages(log: EventLog, lane: number, from: number, to: number): AsyncGenerator<readonly LogMessage[]> {
  for (let next = from; next < to; ) {
    const read = await log.read(lane, next, MESSAGES_PER_READ)
    const messages = read.filter(({ position }) => position < to)
    if (messages.length > 0) yield messages
    if (read.length === 0) return
    next = read.at(-1)!.position + 1
  }
}
