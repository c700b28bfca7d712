import { encodeEnvelope, HopperError, laneOf, type Envelope } from '@hopper/contracts'
import type { Producer } from 'kafkajs'
import type { Appended } from '../ports/event-log.ts'
import type { KafkaSettings } from './settings.ts'

const REQUEST_BYTES_MAX = 4_000_000

interface Waiting {
  readonly messages: readonly { lane: number; value: Buffer }[]
  readonly bytes: number
  readonly resolve: (appended: Appended[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Groups the appends that come while a request is under way into the next one. The producer is idempotent with acks=all, so a request that kafkajs
 * repeats is stored once and in order; kafkajs keeps that promise only with one request in flight, so there is one.
 */
export class Appender {
  readonly #producer: Producer
  readonly #settings: KafkaSettings
  readonly #waiting: Waiting[] = []
  #waitingBytes = 0
  #sending: Promise<void> | undefined

  constructor(producer: Producer, settings: KafkaSettings) {
    this.#producer = producer
    this.#settings = settings
  }

  append(envelopes: readonly Envelope[]): Promise<Appended[]> {
    const messages = envelopes.map((envelope) => ({ lane: laneOf(envelope.app, envelope.device_id, this.#settings.lanes), value: encodeEnvelope(envelope) }))
    const bytes = messages.reduce((sum, { value }) => sum + value.length, 0)
    if (this.#waitingBytes + bytes > this.#settings.queueBytesMax) throw new HopperError('HOP_LOG_UNAVAILABLE', 'Too much waits for Kafka.')
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, resolve, reject })
      this.#sending ??= this.#drain()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#sending
  }

  async #drain(): Promise<void> {
    // One turn of the event loop gathers what arrived together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) await this.#send(this.#take())
    this.#sending = undefined
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.bytes <= REQUEST_BYTES_MAX)) bytes += this.#waiting[count++]!.bytes
    return this.#waiting.splice(0, count)
  }

  async #send(group: readonly Waiting[]): Promise<void> {
    try {
      const messages = group.flatMap((each) => each.messages.map(({ lane, value }) => ({ partition: lane, value })))
      const sent = await this.#producer.send({ topic: this.#settings.topic, acks: -1, messages })
      const next = new Map(sent.map(({ partition, baseOffset }) => [partition, Number(baseOffset)]))
      for (const each of group) each.resolve(each.messages.map(({ lane }) => ({ lane, position: advance(next, lane) })))
    } catch (cause) {
      for (const each of group) each.reject(new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka did not take the events.', { cause }))
    } finally {
      for (const each of group) this.#waitingBytes -= each.bytes
    }
  }
}

/** Messages of a partition get consecutive offsets in the order of the request. */
function advance(next: Map<number, number>, lane: number): number {
  const position = next.get(lane) ?? 0
  next.set(lane, position + 1)
  return position
}
