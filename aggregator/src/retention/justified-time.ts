import { headOf } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'

/** Number of messages at the end of each lane that are read: lanes are almost in the order of receipt. */
const MESSAGES_READ = 100
const BYTES_MAX = 1_000_000

/**
 * Returns the time (ms) by which events may expire: a clock, but no later than when ingest received the newest event,
 * whichever its app. So a clock that jumps ahead removes nothing that the time of receipt does not justify. Without
 * messages in the log, nothing expires.
 */
export async function justifiedTime(log: Pick<EventLog, 'read' | 'ends'>, now: number): Promise<number> {
  let newest = 0
  for (const [lane, end] of (await log.ends()).entries()) {
    const messages = end > 0 ? await lastMessages(log, lane, end) : []
    for (const { value, isDamaged } of messages)
      if (!isDamaged) newest = Math.max(newest, headOf(value).received_at ?? 0)
    if (newest >= now) return now
  }
  return newest
}

async function lastMessages(
  log: Pick<EventLog, 'read'>,
  lane: number,
  end: number,
): Promise<Awaited<ReturnType<EventLog['read']>>> {
  const some = await log.read(lane, Math.max(0, end - MESSAGES_READ), MESSAGES_READ, BYTES_MAX)
  return (some.at(-1)?.position ?? end) + 1 < end ? [...some, ...(await log.read(lane, end - 1, 1))] : some
}
