import { createHash } from 'node:crypto'
import type { EventLog, LaneMessage } from './ports/event-log.ts'
import { laneMessages } from './lane-messages.ts'

/**
 * Returns the messages that an append of unknown outcome did not store. `ends` are the ends of the lanes when it began.
 */
export async function missingMessages(
  log: EventLog,
  messages: readonly LaneMessage[],
  ends: readonly number[],
): Promise<LaneMessage[]> {
  const found = await findMessages(log, messages, ends)
  return messages.filter((_, at) => found[at] === undefined)
}

/**
 * Returns the position of each message of an append of unknown outcome; undefined for those that it did not store.
 * `ends` are the ends of the lanes when it began: messages behind them are compared byte for byte.
 */
export async function findMessages(
  log: EventLog,
  messages: readonly LaneMessage[],
  ends: readonly number[],
): Promise<(number | undefined)[]> {
  const arrived = new Map<string, number[]>()
  const wanted = new Set(messages.map(nameOf))
  const now = await log.ends()
  for (const lane of new Set(messages.map(({ lane }) => lane))) {
    for await (const found of laneMessages(log, lane, ends[lane]!, now[lane]!)) {
      for (const { position, value } of found) {
        const name = nameOf({ lane, value })
        if (!wanted.has(name)) continue
        const positions = arrived.get(name)
        if (positions) positions.push(position)
        else arrived.set(name, [position])
      }
    }
  }
  return messages.map((message) => arrived.get(nameOf(message))?.shift())
}

function nameOf({ lane, value }: LaneMessage): string {
  return `${lane} ${createHash('sha256').update(value).digest('base64')}`
}
