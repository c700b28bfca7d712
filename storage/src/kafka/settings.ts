import { logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs'
import type { Sockets } from './sockets.ts'

const RETRY_MS = 100

/** Connection to Kafka and layout of the log in it. */
export interface KafkaSettings {
  /** `host:port` */
  readonly brokers: readonly string[]
  readonly topic: string
  /** consumer group of the aggregators */
  readonly group: string
  readonly lanes: number
  /** replicas of the topic, used when it is created */
  readonly replication: number
  readonly clientId: string
  readonly tls?: boolean
  readonly sasl?: SASLOptions
  /** appends queued for the broker, in bytes; beyond it appends are refused */
  readonly queueBytesMax: number
  /** fetched but not yet delivered data of all lanes together, in bytes, compressed */
  readonly heldBytesMax: number
  /** a group member without a heartbeat for this time is removed from the group */
  readonly sessionTimeoutMs: number
  /** timeout of an append and of a query about the log */
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

/**
 * Configures a client that waits for what becomes available soon, such as the coordinators of a broker that has just
 * started.
 */
export function patientConfig(settings: KafkaSettings, sockets: Sockets): KafkaConfig {
  return {
    ...promptConfig(settings, sockets),
    requestTimeout: 15_000,
    retry: { initialRetryTime: RETRY_MS, maxRetryTime: 3_000, retries: 8 },
  }
}

/** Configures a client that fails fast, after it has tried every broker: an append is waiting for it. */
export function promptConfig(settings: KafkaSettings, sockets: Sockets): KafkaConfig {
  return {
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    ...(settings.tls ? { ssl: true } : {}),
    ...(settings.sasl ? { sasl: settings.sasl } : {}),
    socketFactory: sockets.factory,
    logLevel: logLevel.NOTHING,
    // A request without a response can thus be retried in time.
    connectionTimeout: settings.timeoutMs / 4,
    requestTimeout: settings.timeoutMs / 4,
    retry: { initialRetryTime: RETRY_MS, retries: settings.brokers.length },
  }
}
