import { logLevel, type KafkaConfig, type SASLOptions } from 'kafkajs'

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
  /** a group member that sends no heartbeat for so long is given up */
  readonly sessionTimeoutMs: number
}

export const kafkaDefaults = {
  topic: 'hopper-events', group: 'hopper-aggregator', replication: 1, clientId: 'hopper', queueBytesMax: 64_000_000, sessionTimeoutMs: 10_000,
} as const satisfies Partial<KafkaSettings>

export function kafkaConfig(settings: KafkaSettings): KafkaConfig {
  return {
    clientId: settings.clientId,
    brokers: [...settings.brokers],
    ...(settings.tls ? { ssl: true } : {}),
    ...(settings.sasl ? { sasl: settings.sasl } : {}),
    logLevel: logLevel.NOTHING,
    connectionTimeout: 5_000,
    requestTimeout: 15_000,
    // Right after a broker's start its coordinators are loading; kafkajs counts that as retriable.
    retry: { initialRetryTime: 100, maxRetryTime: 3_000, retries: 8 },
  }
}
