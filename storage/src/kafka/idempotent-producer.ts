import kafkajs, { Kafka, type Producer } from 'kafkajs'
import type { LaneMessage } from '../ports/event-log.ts'
import { promptConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'
import { withTimeout } from './with-timeout.ts'

const RETRY_MS = 100
const RETRY_MS_MAX = 1_000

/**
 * One Kafka producer id, from its request to its end, with its own sockets. It must be ended after a rejected send:
 * kafkajs then uses the sequence numbers of that batch again, and a broker that has stored the batch takes the next one
 * for a duplicate, acknowledges it and drops it.
 */
export class IdempotentProducer {
  readonly #settings: KafkaSettings
  readonly #sockets: Sockets
  readonly #producer: Producer

  private constructor(settings: KafkaSettings) {
    this.#settings = settings
    this.#sockets = new Sockets()
    const kafka = new Kafka(promptConfig(settings, this.#sockets))
    this.#producer = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Retried until the append has no time left. The broker recognizes duplicates by their sequence number.
      retry: {
        initialRetryTime: RETRY_MS,
        maxRetryTime: RETRY_MS_MAX,
        retries: Math.ceil(settings.timeoutMs / RETRY_MS_MAX) + 5,
      },
    })
  }

  /**
   * Connects and requests a producer id.
   * @throws HopperError HOP_LOG_UNAVAILABLE when that takes longer than half of the time that an append has
   */
  static async begin(settings: KafkaSettings): Promise<IdempotentProducer> {
    const producer = new IdempotentProducer(settings)
    try {
      await withTimeout(settings.timeoutMs / 2, producer.#producer.connect())
      return producer
    } catch (error) {
      producer.end()
      throw error
    }
  }

  /**
   * Sends to all lanes in one request.
   * @returns the position of the first message of each lane; the messages of a lane are consecutive
   */
  async send(messages: readonly LaneMessage[]): Promise<Map<number, number>> {
    const { topic, timeoutMs } = this.#settings
    const sent = await this.#producer.send({
      topic,
      acks: -1,
      timeout: timeoutMs / 4,
      compression: kafkajs.CompressionTypes.ZSTD,
      messages: messages.map(({ lane, value }) => ({
        partition: lane,
        value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
      })),
    })
    const firsts = new Map(sent.map(({ partition, baseOffset }) => [partition, Number(baseOffset ?? -1)]))
    for (const { lane } of messages) {
      // When a partition moves to another broker during a retry, kafkajs forgets it and reports success.
      if (!((firsts.get(lane) ?? -1) >= 0))
        throw new Error(`Kafka did not return the positions of the messages in lane ${lane}.`)
    }
    return firsts
  }

  /** Ends the producer at once: messages that were not sent yet are dropped. */
  end(): void {
    this.#sockets.end()
  }
}
