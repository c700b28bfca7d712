import kafkajs, { Kafka, type Producer } from 'kafkajs'
import type { LaneMessage } from '../ports/event-log.ts'
import { promptConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'
import { within } from './within.ts'

const RETRY_MS = 100
const RETRY_MS_MAX = 1_000

/**
 * One producer id of Kafka, from its request to its end, with sockets of its own. After a send that was rejected it
 * must be ended: kafkajs then uses the sequence numbers of that batch again, and a broker that has stored it takes the
 * next batch for its repetition, acknowledges and drops it.
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
      // Repeated until the append has no time left; the broker knows a repetition by its sequence number.
      retry: {
        initialRetryTime: RETRY_MS,
        maxRetryTime: RETRY_MS_MAX,
        retries: Math.ceil(settings.timeoutMs / RETRY_MS_MAX) + 5,
      },
    })
  }

  /**
   * Connects and asks for a producer id. @throws HopperError HOP_LOG_UNAVAILABLE when that takes longer than half of an
   * append may
   */
  static async begin(settings: KafkaSettings): Promise<IdempotentProducer> {
    const begun = new IdempotentProducer(settings)
    try {
      await within(settings.timeoutMs / 2, begun.#producer.connect())
      return begun
    } catch (error) {
      begun.end()
      throw error
    }
  }

  /**
   * Sends to all lanes at once. @returns the position of the first message of each lane; those of a lane follow each
   * other
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
      // When a partition moves to another broker while its request is repeated, kafkajs forgets it and reports success.
      if (!((firsts.get(lane) ?? -1) >= 0)) throw new Error(`Kafka did not say where in lane ${lane} the messages are.`)
    }
    return firsts
  }

  /** Nothing that has not left by now is sent any more. */
  end(): void {
    this.#sockets.end()
  }
}
