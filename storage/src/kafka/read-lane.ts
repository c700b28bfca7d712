import { HopperError } from '@hopper/contracts'
import { Kafka, type Consumer } from 'kafkajs'
import type { LogMessage } from '../ports/event-log.ts'
import { patientConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'

const READ_WAIT_MS = 15_000
/** fetch limit for each lane; the broker returns the first batch whole, however large it is */
const FETCH_BYTES_MAX = 1_048_576

/**
 * A part of a lane: the messages from `from` up to, but not including, `end`; at most `limit` of them, and after the
 * first at most `bytesMax`.
 */
export interface LaneRange {
  /** consumer group of this read alone */
  readonly groupId: string
  readonly lane: number
  readonly from: number
  readonly end: number
  readonly limit: number
  readonly bytesMax: number
}

/**
 * Reads a part of a lane. kafkajs reads only as a member of a group, so a group of one exists for the duration of this
 * read.
 */
export async function readLane(settings: KafkaSettings, range: LaneRange): Promise<readonly LogMessage[]> {
  const sockets = new Sockets()
  const consumer = new Kafka(patientConfig(settings, sockets)).consumer({
    groupId: range.groupId,
    maxWaitTimeInMs: 50,
    maxBytesPerPartition: Math.min(Math.max(range.bytesMax, 1), FETCH_BYTES_MAX),
    allowAutoTopicCreation: false,
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topic: settings.topic, fromBeginning: true })
    return await collect(consumer, settings, range)
  } catch (error) {
    sockets.end()
    throw error
  } finally {
    await consumer.disconnect()
  }
}

function collect(
  consumer: Consumer,
  { topic, lanes }: KafkaSettings,
  { lane, from, end, limit, bytesMax }: LaneRange,
): Promise<LogMessage[]> {
  const others = Array.from({ length: lanes }, (_, each) => each).filter((each) => each !== lane)
  const found: LogMessage[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new HopperError('HOP_LOG_UNAVAILABLE', `Lane ${lane} could not be read.`)),
      READ_WAIT_MS,
    )
    let isDone = false
    const done = (): void => {
      isDone = true
      clearTimeout(timer)
      resolve(found)
    }
    consumer.on(consumer.events.GROUP_JOIN, () => {
      if (others.length > 0) consumer.pause([{ topic, partitions: others }])
      consumer.seek({ topic, partition: lane, offset: String((found.at(-1)?.position ?? from - 1) + 1) })
    })
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          const position = Number(message.offset)
          if (partition !== lane || position < from || isDone) return
          const value = message.value ?? new Uint8Array()
          bytes += value.length
          if (found.length > 0 && bytes > bytesMax) return done()
          if (position < end) found.push({ position, value })
          if (found.length >= limit || position >= end - 1) done()
          else timer.refresh()
        },
      })
      .catch((error: Error) => (clearTimeout(timer), reject(error)))
  })
}
