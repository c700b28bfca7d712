import { randomUUID } from 'node:crypto'
import { HopperError, type Envelope } from '@hopper/contracts'
import { Kafka, type Admin, type Producer } from 'kafkajs'
import type { Appended, EventLog, LaneConsumer, LogMessage, Subscription } from '../ports/event-log.ts'
import { Appender } from './appender.ts'
import { LaneSubscription } from './lane-subscription.ts'
import { kafkaConfig, type KafkaSettings } from './settings.ts'
import { ensureTopic } from './topic.ts'

export { kafkaDefaults, type KafkaSettings } from './settings.ts'

const READ_WAIT_MS = 10_000

/** The log over one Kafka topic: partition = lane, offset = position. */
export class KafkaEventLog implements EventLog {
  readonly lanes: number
  readonly #settings: KafkaSettings
  readonly #kafka: Kafka
  readonly #admin: Admin
  readonly #producer: Producer
  readonly #appender: Appender
  readonly #subscriptions = new Set<Subscription>()

  constructor(settings: KafkaSettings) {
    this.lanes = settings.lanes
    this.#settings = settings
    this.#kafka = new Kafka(kafkaConfig(settings))
    this.#admin = this.#kafka.admin()
    this.#producer = this.#kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false, retry: { retries: 8 } })
    this.#appender = new Appender(this.#producer, settings)
  }

  async connect(): Promise<this> {
    await this.#admin.connect()
    await ensureTopic(this.#admin, this.#settings)
    await this.#producer.connect()
    return this
  }

  async append(envelopes: readonly Envelope[]): Promise<readonly Appended[]> {
    return envelopes.length === 0 ? [] : this.#appender.append(envelopes)
  }

  async subscribe(consumer: LaneConsumer): Promise<Subscription> {
    const subscription = new LaneSubscription(this.#kafka, this.#settings, consumer)
    this.#subscriptions.add(subscription)
    await subscription.start()
    return { close: () => this.#end(subscription) }
  }

  /** kafkajs reads only as a member of a group: a group of one, for this read alone, begins at the position and ends with it. */
  async read(lane: number, from: number, limit: number): Promise<readonly LogMessage[]> {
    const end = (await this.ends())[lane] ?? 0
    const wanted = Math.min(limit, end - from)
    if (wanted <= 0) return []
    const { topic } = this.#settings
    const groupId = `${this.#settings.group}-read-${randomUUID()}`
    const consumer = this.#kafka.consumer({ groupId, maxWaitTimeInMs: 50, allowAutoTopicCreation: false })
    const found: LogMessage[] = []
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new HopperError('HOP_LOG_UNAVAILABLE', `Lane ${lane} could not be read.`)), READ_WAIT_MS)
        const done = (): void => (clearTimeout(timer), resolve())
        consumer.on(consumer.events.GROUP_JOIN, () => {
          const others = Array.from({ length: this.lanes }, (_, each) => each).filter((each) => each !== lane)
          if (others.length > 0) consumer.pause([{ topic, partitions: others }])
          consumer.seek({ topic, partition: lane, offset: String(from) })
        })
        consumer.run({
          autoCommit: false,
          eachMessage: async ({ partition, message }) => {
            const position = Number(message.offset)
            if (partition !== lane || position < from || found.length >= wanted) return
            found.push({ position, value: message.value ?? new Uint8Array() })
            if (found.length >= wanted || position >= end - 1) done()
          },
        }).catch(reject)
      })
    } finally {
      await consumer.disconnect()
      await this.#admin.deleteGroups([groupId]).catch(() => undefined)
    }
    return found
  }

  async ends(): Promise<readonly number[]> {
    const offsets = await this.#admin.fetchTopicOffsets(this.#settings.topic)
    const ends = new Array<number>(this.lanes).fill(0)
    for (const { partition, high } of offsets) ends[partition] = Number(high)
    return ends
  }

  /** Whether the brokers answer. */
  async health(): Promise<{ name: string; healthy: boolean; detail?: string }> {
    const detail = await this.ends().then(() => undefined, (error: Error) => error.message)
    return { name: 'kafka', healthy: detail === undefined, ...(detail ? { detail } : {}) }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((each) => this.#end(each)))
    await this.#appender.idle()
    await this.#producer.disconnect()
    await this.#admin.disconnect()
  }

  async #end(subscription: Subscription): Promise<void> {
    if (this.#subscriptions.delete(subscription)) await subscription.close()
  }
}
