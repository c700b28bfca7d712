import { HopperError } from '@hopper/contracts'
import { Kafka, type Consumer, type EachBatchPayload } from 'kafkajs'
import type { LogMessage } from '../ports/event-log.ts'
import { patientConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'

const READ_WAIT_MS = 15_000
const FETCH_WAIT_MS = 50
/** fetch limit; the broker returns the first batch whole, however large it is */
const FETCH_BYTES_MAX = 1_048_576

/**
 * A part of a lane: the messages from position `from`, which must exist, up to but excluding `end`. At most `limit`
 * messages, and at most `bytesMax` bytes unless the first message alone is larger.
 */
export interface LaneRange {
  readonly lane: number
  readonly from: number
  readonly end: number
  readonly limit: number
  readonly bytesMax: number
}

interface Reading extends LaneRange {
  readonly found: LogMessage[]
  bytes: number
  /** offset of the next message */
  next: number
  readonly timer: NodeJS.Timeout
  readonly resolve: (found: readonly LogMessage[]) => void
  readonly reject: (error: Error) => void
}

/**
 * Reads parts of lanes, one after another. kafkajs reads only as a member of a group, so this is a group of one member,
 * which pauses all lanes but the one being read. A reader that has failed once cannot be used again.
 */
export class LaneReader {
  readonly groupId: string
  readonly #topic: string
  readonly #sockets = new Sockets()
  readonly #consumer: Consumer
  #reading: Reading | undefined
  #failure: Error | undefined

  /** Resolves when the group is joined. */
  static async open(settings: KafkaSettings, groupId: string): Promise<LaneReader> {
    const reader = new LaneReader(settings, groupId)
    try {
      await reader.#join()
      return reader
    } catch (error) {
      await reader.close()
      throw error
    }
  }

  private constructor(settings: KafkaSettings, groupId: string) {
    this.groupId = groupId
    this.#topic = settings.topic
    this.#consumer = new Kafka(patientConfig(settings, this.#sockets)).consumer({
      groupId,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: FETCH_BYTES_MAX,
      allowAutoTopicCreation: false,
      retry: { restartOnFailure: async () => false },
    })
  }

  /** @throws HopperError HOP_LOG_UNAVAILABLE when the broker sends nothing for some time */
  read(range: LaneRange): Promise<readonly LogMessage[]> {
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const late = new HopperError('HOP_LOG_UNAVAILABLE', `Lane ${range.lane} could not be read.`)
      const timer = setTimeout(() => this.#fail(late), READ_WAIT_MS)
      this.#reading = { ...range, found: [], bytes: 0, next: range.from, timer, resolve, reject }
      this.#begin(this.#reading)
    })
  }

  async close(): Promise<void> {
    this.#fail(new HopperError('HOP_LOG_UNAVAILABLE', 'The log is closed.'))
    await this.#consumer.disconnect().catch(() => undefined)
    this.#sockets.end()
  }

  async #join(): Promise<void> {
    const joined = new Promise<void>((resolve, reject) => {
      this.#consumer.on(this.#consumer.events.GROUP_JOIN, () => {
        // The consumer joins again after the broker has missed its heartbeats.
        this.#consumer.pause([{ topic: this.#topic }])
        if (this.#reading) this.#begin(this.#reading)
        resolve()
      })
      this.#consumer.on(this.#consumer.events.CRASH, ({ payload: { error } }) => {
        this.#fail(error)
        reject(error)
      })
    })
    joined.catch(() => undefined)
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topic: this.#topic, fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => this.#take(payload),
    })
    await joined
  }

  #begin({ lane, next }: Reading): void {
    this.#consumer.seek({ topic: this.#topic, partition: lane, offset: String(next) })
    this.#consumer.resume([{ topic: this.#topic, partitions: [lane] }])
  }

  #take(payload: EachBatchPayload): void {
    const { batch } = payload
    const reading = this.#reading
    // A batch of an earlier read may still arrive.
    const { fetchedOffset } = batch as typeof batch & { readonly fetchedOffset: string }
    if (reading?.lane !== batch.partition || Number(fetchedOffset) !== reading.next) return
    reading.timer.refresh()
    const { end, limit, bytesMax, found } = reading
    for (const { offset, value } of batch.messages) {
      const [position, bytes] = [Number(offset), value?.length ?? 0]
      if (position >= end || (found.length > 0 && reading.bytes + bytes > bytesMax)) return this.#finish(reading)
      found.push({ position, value: value ?? new Uint8Array() })
      reading.bytes += bytes
      reading.next = position + 1
      if (found.length >= limit || reading.next >= end) return this.#finish(reading)
    }
    payload.resolveOffset(batch.lastOffset())
    reading.next = Number(batch.lastOffset()) + 1
  }

  #finish({ timer, found, resolve }: Reading): void {
    // Pauses the whole topic: to pause one lane of a paused topic would make kafkajs resume all others.
    this.#consumer.pause([{ topic: this.#topic }])
    this.#reading = undefined
    clearTimeout(timer)
    resolve(found)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    const reading = this.#reading
    this.#reading = undefined
    if (!reading) return
    clearTimeout(reading.timer)
    reading.reject(error)
  }
}
