import { HopperError } from '@hopper/contracts'
import type { Appended, LaneMessage } from '../ports/event-log.ts'
import type { IdempotentProducer } from './idempotent-producer.ts'
import type { KafkaSettings } from './settings.ts'
import { unavailable, withTimeout } from './with-timeout.ts'

const REQUEST_BYTES_MAX = 4_000_000
/**
 * After a failed connection, appends are refused without another attempt for as long as the failure took, within these
 * bounds.
 */
const AWAY_MS_MIN = 250
const AWAY_MS_MAX = 2_000

interface Waiting {
  readonly messages: readonly LaneMessage[]
  readonly bytes: number
  /** on the monotonic clock */
  readonly untilMs: number
  readonly resolve: (appended: Appended[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Groups the appends that arrive while a request is in flight into the next request. The producer is idempotent with
 * acks=all, so a request that kafkajs retries is stored once and in order. kafkajs guarantees that only with one
 * request in flight, so there is one. After a failed request, everything queued behind it is rejected with it, and the
 * next append begins with a new producer.
 */
export class Appender {
  readonly #settings: KafkaSettings
  readonly #begin: () => Promise<IdempotentProducer>
  #producer: Promise<IdempotentProducer> | undefined
  #awayUntilMs = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #draining: Promise<void> | undefined

  constructor(settings: KafkaSettings, begin: () => Promise<IdempotentProducer>) {
    this.#settings = settings
    this.#begin = begin
  }

  /** Creates a producer, or throws the reason why there is none. */
  async connect(): Promise<void> {
    try {
      await withTimeout(this.#settings.timeoutMs, this.#connected())
    } catch (error) {
      void this.#endProducer()
      throw error
    }
  }

  append(messages: readonly LaneMessage[]): Promise<Appended[]> {
    if (!this.#producer && performance.now() < this.#awayUntilMs)
      throw new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka is unavailable.')
    const bytes = messages.reduce((sum, { value }) => sum + value.length, 0)
    if (this.#waitingBytes + bytes > this.#settings.queueBytesMax)
      throw new HopperError('HOP_LOG_UNAVAILABLE', 'The queue of appends for Kafka is full.')
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ messages, bytes, untilMs: performance.now() + this.#settings.timeoutMs, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when the queue is empty and the producer has ended. */
  async close(): Promise<void> {
    await this.#draining
    await this.#endProducer()
  }

  async #drain(): Promise<void> {
    // One turn of the event loop collects appends that arrived together.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) await this.#store(this.#take())
    this.#draining = undefined
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && (count === 0 || bytes + this.#waiting[count]!.bytes <= REQUEST_BYTES_MAX))
      bytes += this.#waiting[count++]!.bytes
    return this.#waiting.splice(0, count)
  }

  async #store(group: readonly Waiting[]): Promise<void> {
    const leftMs = group[0]!.untilMs - performance.now()
    // Abandoning a request costs the producer, so a request with hardly any time left is not started.
    if (leftMs < this.#settings.timeoutMs / 4)
      return this.#refuse(group, new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka is too slow.'))
    try {
      const next = await withTimeout(leftMs, this.#send(group.flatMap(({ messages }) => messages)))
      for (const each of group) each.resolve(each.messages.map(({ lane }) => ({ lane, position: advance(next, lane) })))
      this.#settle(group)
    } catch (cause) {
      void this.#endProducer()
      this.#refuse(
        [...group, ...this.#waiting.splice(0)],
        new HopperError('HOP_LOG_UNAVAILABLE', 'Kafka did not accept the events.', { cause }),
      )
    }
  }

  async #send(messages: readonly LaneMessage[]): Promise<Map<number, number>> {
    return (await this.#connected()).send(messages)
  }

  #connected(): Promise<IdempotentProducer> {
    return (this.#producer ??= this.#connect())
  }

  async #connect(): Promise<IdempotentProducer> {
    const startedMs = performance.now()
    try {
      return await this.#begin()
    } catch (error) {
      const now = performance.now()
      this.#awayUntilMs = now + Math.min(Math.max(now - startedMs, AWAY_MS_MIN), AWAY_MS_MAX)
      throw unavailable(error)
    }
  }

  async #endProducer(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.then(
      (connected) => connected.end(),
      () => undefined,
    )
  }

  #refuse(group: readonly Waiting[], error: HopperError): void {
    for (const each of group) each.reject(error)
    this.#settle(group)
  }

  #settle(group: readonly Waiting[]): void {
    for (const { bytes } of group) this.#waitingBytes -= bytes
  }
}

/** Messages of a lane get consecutive positions in the order of the request. */
function advance(next: Map<number, number>, lane: number): number {
  const position = next.get(lane)!
  next.set(lane, position + 1)
  return position
}
