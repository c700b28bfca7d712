import { setTimeout as pause } from 'node:timers/promises'
import { Kafka, type Consumer, type EachBatchPayload, type KafkaMessage } from 'kafkajs'
import { AdminClient } from './admin-client.ts'
import { patientConfig, type KafkaSettings } from './settings.ts'
import { Sockets } from './sockets.ts'

/** A topic that does not exist yet, or that could not be read, is tried again after this time. */
const LOOK_MS = 20_000
const RETRY_MS = 2_000
const MESSAGES_PER_TAKE = 500
const FETCH_BYTES_MAX = 4_000_000
const PARTITION_BYTES_MAX = 1_000_000

/** Message of a topic that another system writes. */
export interface TopicMessage {
  readonly key: string | undefined
  readonly value: Uint8Array
  readonly partition: number
  readonly offset: string
  /** ms since the epoch */
  readonly timestamp: number
}

export interface TopicLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/**
 * Reads a topic that other systems write, as a member of a consumer group. An offset is committed after `take` has
 * resolved for everything before it, so each message is processed at least once. A topic that does not exist is looked
 * for again: `hopper migrate` or an administrator creates it.
 */
export class ExternalTopic {
  readonly #settings: KafkaSettings
  readonly #take: (messages: readonly TopicMessage[]) => Promise<void>
  readonly #logger: TopicLogger
  readonly #admin: AdminClient
  readonly #closing = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #problem: string | undefined

  /** `settings.topic` and `settings.group` are those of the other systems, not of the log. */
  constructor(
    settings: KafkaSettings,
    take: (messages: readonly TopicMessage[]) => Promise<void>,
    logger: TopicLogger,
  ) {
    this.#settings = settings
    this.#take = take
    this.#logger = logger
    this.#admin = new AdminClient(settings)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Resolves when the messages in flight have been processed. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running
    this.#admin.close()
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      let waitMs = RETRY_MS
      try {
        if (await this.#exists()) await this.#consume()
        else waitMs = LOOK_MS
      } catch (error) {
        const { message } = error as Error
        if (this.#problem !== message)
          this.#logger.warn({ err: error, topic: this.#settings.topic }, 'the external topic cannot be read now')
        this.#problem = message
      }
      await pause(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined)
    }
  }

  async #exists(): Promise<boolean> {
    return (await this.#admin.send((admin) => admin.listTopics())).includes(this.#settings.topic)
  }

  /** Resolves when this is closed; rejects when the consumer has crashed. */
  async #consume(): Promise<void> {
    const { topic, group, sessionTimeoutMs } = this.#settings
    const sockets = new Sockets()
    const consumer = new Kafka(patientConfig(this.#settings, sockets)).consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: sessionTimeoutMs / 5,
      maxBytes: FETCH_BYTES_MAX,
      maxBytesPerPartition: PARTITION_BYTES_MAX,
      maxWaitTimeInMs: 250,
      allowAutoTopicCreation: false,
      retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5, restartOnFailure: async () => false },
    })
    const crashed = new Promise<never>((_, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
    })
    crashed.catch(() => undefined)
    consumer.on(consumer.events.GROUP_JOIN, () => {
      if (this.#problem !== undefined) this.#logger.info({ topic }, 'the external topic is read again')
      this.#problem = undefined
    })
    try {
      await consumer.connect()
      await consumer.subscribe({ topic, fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: (payload) => this.#batch(consumer, payload),
      })
      await Promise.race([crashed, aborted(this.#closing.signal)])
    } finally {
      await consumer.disconnect().catch(() => undefined)
      sockets.end()
    }
  }

  async #batch(consumer: Consumer, payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch
    for (
      let first = 0;
      first < messages.length && payload.isRunning() && !payload.isStale();
      first += MESSAGES_PER_TAKE
    ) {
      const part = messages.slice(first, first + MESSAGES_PER_TAKE)
      await this.#take(part.map((message) => messageOf(message, partition)))
      const last = part.at(-1)!.offset
      await consumer.commitOffsets([{ topic, partition, offset: String(BigInt(last) + 1n) }])
      payload.resolveOffset(last)
      await payload.heartbeat()
    }
  }
}

function messageOf({ key, value, offset, timestamp }: KafkaMessage, partition: number): TopicMessage {
  return {
    key: key === null ? undefined : key.toString(),
    value: value ?? new Uint8Array(),
    partition,
    offset,
    timestamp: Number(timestamp),
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
