import { encodeEnvelope, HopperError, laneOf, type Envelope } from '@hopper/contracts'
import type { Appended, EventLog, LaneConsumer, LaneMessage, LogMessage, Subscription } from '../ports/event-log.ts'
import type { PartHealth } from '../ports/storage.ts'
import { Appender } from './appender.ts'
import { AdminClient } from './admin-client.ts'
import { repairEncoder } from './kafkajs-patches/encoder.ts'
import { IdempotentProducer } from './idempotent-producer.ts'
import { LaneSubscription, type LaneBounds } from './lane-subscription.ts'
import { LaneReaders } from './lane-readers.ts'
import { repairRequestQueue } from './kafkajs-patches/request-queue.ts'
import { Kafka, type ConfigResourceTypes } from 'kafkajs'
import { patientConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'
import { ensureExternalTopic, ensureTopic, untilSettled, type ExternalTopicState } from './topic.ts'
import { unavailable } from './with-timeout.ts'
import { installZstd } from './zstd.ts'

export { ExternalTopic, type TopicLogger, type TopicMessage } from './external-topic.ts'
export type { ExternalTopicState } from './topic.ts'
export { kafkaDefaults, type KafkaSettings } from './settings.ts'

const FILL_MESSAGES_MAX = 10_000
/** `ConfigResourceTypes.TOPIC`, which Node does not find among the exports of kafkajs */
const TOPIC_CONFIG = 2 as ConfigResourceTypes

repairEncoder()
repairRequestQueue()
installZstd()

/**
 * Ensures that `settings.topic`, which other systems write, exists; `ExternalTopic` reads it.
 * @throws HopperError HOP_LOG_UNAVAILABLE when Kafka is unavailable
 */
export async function createExternalTopic(settings: KafkaSettings): Promise<ExternalTopicState> {
  const client = new AdminClient(settings)
  try {
    return await client.send((admin) => ensureExternalTopic(admin, settings))
  } finally {
    client.close()
  }
}

/** An event log in one Kafka topic: partition = lane, offset = position. */
export class KafkaEventLog implements EventLog {
  readonly lanes: number
  readonly #settings: KafkaSettings
  readonly #adminClient: AdminClient
  readonly #appender: Appender
  readonly #readers: LaneReaders
  readonly #subscriptions = new Set<LaneSubscription>()
  #topicExists = false

  constructor(settings: KafkaSettings) {
    this.lanes = settings.lanes
    this.#settings = settings
    this.#adminClient = new AdminClient(settings)
    this.#readers = new LaneReaders(settings, this.#adminClient)
    this.#appender = new Appender(settings, async () => {
      await this.#ensureTopic()
      return IdempotentProducer.begin(settings)
    })
  }

  /**
   * Checks that Kafka answers and that the topic exists with L partitions. A caller may continue after a failure: each
   * append tries again.
   * @throws HopperError HOP_LOG_UNAVAILABLE when Kafka is unavailable, HOP_CONFIG when the topic has a different number
   * of partitions
   */
  async connect(): Promise<this> {
    try {
      await this.#appender.connect()
      return this
    } catch (error) {
      // A caller that gives up here must not leave a connection behind.
      this.#adminClient.close()
      throw error
    }
  }

  async append(envelopes: readonly Envelope[]): Promise<readonly Appended[]> {
    return this.appendMessages(
      envelopes.map((envelope) => ({
        lane: laneOf(envelope.app, envelope.device_id, this.lanes),
        value: encodeEnvelope(envelope),
      })),
    )
  }

  async appendMessages(messages: readonly LaneMessage[]): Promise<readonly Appended[]> {
    return messages.length === 0 ? [] : this.#appender.append(messages)
  }

  async subscribe(consumer: LaneConsumer): Promise<Subscription> {
    await this.#ensureTopic()
    const subscription = new LaneSubscription(this.#settings, consumer, () => this.#offsets())
    this.#subscriptions.add(subscription)
    try {
      await subscription.start()
    } catch (error) {
      await this.#end(subscription)
      throw (error as { type?: string }).type === 'INVALID_SESSION_TIMEOUT'
        ? refusedSession(this.#settings)
        : unavailable(error)
    }
    return { close: () => this.#end(subscription) }
  }

  /** Reads with one of a few consumers that later reads use again, see `LaneReaders`. */
  async read(lane: number, from: number, limit: number, bytesMax = Infinity): Promise<readonly LogMessage[]> {
    const { starts, ends } = await this.#offsets()
    const [first, end] = [Math.max(from, starts[lane] ?? 0), ends[lane] ?? 0]
    if (limit <= 0 || first >= end) return []
    try {
      return await this.#readers.read({ lane, from: first, end, limit, bytesMax })
    } catch (error) {
      throw unavailable(error)
    }
  }

  async ends(): Promise<readonly number[]> {
    return (await this.#offsets()).ends
  }

  async starts(): Promise<readonly number[]> {
    return (await this.#offsets()).starts
  }

  /** Whole segments are deleted, and a segment takes messages for `segment.ms` at most. */
  async keptUntil(appendedBefore: number): Promise<number | undefined> {
    const { topic } = this.#settings
    const resource = { type: TOPIC_CONFIG, name: topic, configNames: ['retention.ms', 'segment.ms'] }
    const { resources } = await this.#adminClient.send((admin) =>
      admin.describeConfigs({ includeSynonyms: false, resources: [resource] }),
    )
    const valueOf = (name: string): number =>
      Number(resources[0]?.configEntries.find(({ configName }) => configName === name)?.configValue ?? -1)
    const retentionMs = valueOf('retention.ms')
    return retentionMs < 0 ? undefined : appendedBefore + retentionMs + Math.max(0, valueOf('segment.ms'))
  }

  async fill(lane: number, to: number): Promise<void> {
    const sockets = new Sockets()
    const producer = new Kafka(patientConfig(this.#settings, sockets)).producer({ allowAutoTopicCreation: false })
    try {
      await producer.connect()
      for (let end = (await this.ends())[lane]!; end < to; end = (await this.ends())[lane]!) {
        const messages = Array.from({ length: Math.min(FILL_MESSAGES_MAX, to - end) }, () => ({
          partition: lane,
          value: Buffer.alloc(0),
        }))
        await producer.send({ topic: this.#settings.topic, acks: -1, messages })
      }
    } catch (error) {
      throw unavailable(error)
    } finally {
      await producer.disconnect().catch(() => undefined)
      sockets.end()
    }
  }

  /** Reports whether the brokers answer and, if we subscribed, accept us in the group. */
  async health(): Promise<PartHealth> {
    const groupFailure = [...this.#subscriptions].find(({ failure }) => failure)?.failure?.message
    const detail = await this.ends().then(
      () => groupFailure,
      (error: Error) => error.message,
    )
    return { name: 'kafka', healthy: detail === undefined, ...(detail ? { detail } : {}) }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#subscriptions].map((each) => this.#end(each)))
    await this.#readers.close()
    await this.#appender.close()
    this.#adminClient.close()
  }

  async #offsets(): Promise<LaneBounds> {
    await this.#ensureTopic()
    const { topic, timeoutMs } = this.#settings
    // Each attempt is a `send` of its own: after a failed one, the next has a new client, which asks for the leaders
    // again.
    const offsets = await untilSettled(timeoutMs, () =>
      this.#adminClient.send((admin) => admin.fetchTopicOffsets(topic)),
    )
    const [starts, ends] = [new Array<number>(this.lanes).fill(0), new Array<number>(this.lanes).fill(0)]
    for (const { partition, low, high } of offsets) [starts[partition], ends[partition]] = [Number(low), Number(high)]
    return { starts, ends }
  }

  async #ensureTopic(): Promise<void> {
    if (this.#topicExists) return
    await this.#adminClient.send((admin) => ensureTopic(admin, this.#settings))
    this.#topicExists = true
  }

  async #end(subscription: LaneSubscription): Promise<void> {
    if (this.#subscriptions.delete(subscription)) await subscription.close()
  }
}

function refusedSession({ sessionTimeoutMs }: KafkaSettings): HopperError {
  const limits = 'group.min.session.timeout.ms and group.max.session.timeout.ms'
  return new HopperError(
    'HOP_CONFIG',
    `Kafka does not accept a session timeout of ${sessionTimeoutMs} ms: see its ${limits}.`,
  )
}
