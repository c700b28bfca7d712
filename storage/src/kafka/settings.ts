import { logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs'
import type { Sockets } from './sockets.ts'

const RETRY_MS = 100

/** How to reach Kafka, and how the log stands in it. */
export interface KafkaSettings {
  /** `host:port` */
  readonly brokers: readonly string[]
  readonly topic: string
  /** consumer group of the aggregators */
  readonly group: string
  readonly lanes: number
  /** replicas of the topic, when it is created */
  readonly replication: number
  readonly clientId: string
  readonly tls?: boolean
  readonly sasl?: SASLOptions
  /** appends that wait for the broker, in bytes; over it an append is refused */
  readonly queueBytesMax: number
  /** what is fetched of all lanes together and not handed over yet, in bytes, compressed */
  readonly heldBytesMax: number
  /** a group member that sends no heartbeat for so long is given up */
  readonly sessionTimeoutMs: number
  /** an append, or a question about the log, that Kafka has not answered for so long is refused */
  readonly timeoutMs: number
}

export const kafkaDefaults = {
  topic: 'hopper-events',
  group: 'hopper-aggregator',
  replication: 1,
  clientId: 'hopper',
  queueBytesMax: 64_000_000,
  heldBytesMax: 16_000_000,
  sessionTimeoutMs: 10_000,
  timeoutMs: 10_000,
} as const satisfies Partial<KafkaSettings>

/** A client that waits for what is about to come, such as the coordinators of a broker that has just started. */
export function patientConfig(settings: KafkaSettings, sockets: Sockets): KafkaConfig {
  return {
    ...promptConfig(settings, sockets),
    requestTimeout: 15_000,
    retry: { initialRetryTime: RETRY_MS, maxRetryTime: 3_000, retries: 8 },
  }
}

/** A client that fails soon, after it has tried every broker: an append is waiting for it. */
export function promptConfig(settings: KafkaSettings, sockets: Sockets): KafkaConfig {
  return {
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    ...(settings.tls ? { ssl: true } : {}),
    ...(settings.sasl ? { sasl: settings.sasl } : {}),
    socketFactory: sockets.factory,
    logLevel: logLevel.NOTHING,
    // So that a request without an answer can be repeated in time.
    connectionTimeout: settings.timeoutMs / 4,
    requestTimeout: settings.timeoutMs / 4,
    retry: { initialRetryTime: RETRY_MS, retries: settings.brokers.length },
  }
}
