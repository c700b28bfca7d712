import { createHash } from 'node:crypto'
import type { EventLog, LaneMessage } from './ports/event-log.ts'
import { laneMessages } from './lane-messages.ts'

/**
 * Returns those of some messages that an append did not store which began when the lanes had these ends, and whose
 * outcome is unknown. What is in the log behind those ends is compared byte for byte.
 */
export async function missingMessages(
  log: EventLog,
  messages: readonly LaneMessage[],
  ends: readonly number[],
): Promise<LaneMessage[]> {
  const arrived = new Map<string, number>()
  const wanted = new Set(messages.map(nameOf))
  const now = await log.ends()
  for (const lane of new Set(messages.map(({ lane }) => lane))) {
    for await (const found of laneMessages(log, lane, ends[lane]!, now[lane]!)) {
      for (const { value } of found) {
        const name = nameOf({ lane, value })
        if (wanted.has(name)) arrived.set(name, (arrived.get(name) ?? 0) + 1)
      }
    }
  }
  return messages.filter((message) => {
    const name = nameOf(message)
    const left = arrived.get(name) ?? 0
    arrived.set(name, left - 1)
    return left <= 0
  })
}

function nameOf({ lane, value }: LaneMessage): string {
  return `${lane} ${createHash('sha256').update(value).digest('base64')}`
}
