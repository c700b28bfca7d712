import { auth, policies, types, type ClientOptions } from 'cassandra-driver'

/** How to reach a Cassandra cluster, and what to ask of it. */
export interface CassandraSettings {
  /** `host:port` of some nodes */
  readonly contactPoints: readonly string[]
  readonly dataCenter: string
  readonly keyspace: string
  /** replicas of each row in the data center; used when the keyspace is created */
  readonly replication: number
  readonly username?: string
  readonly password?: string
  readonly tls?: boolean
  /** how long a lane belongs to an owner that does not renew */
  readonly leaseMs: number
  /**
   * How long after it was sent a counter write may still be applied although its answer never came: the server's
   * `counter_write_request_timeout` (5 s by default) and a margin for clocks and queues.
   */
  readonly unknownOutcomeMs: number
  /** how long the driver waits for an answer */
  readonly requestTimeoutMs: number
}

export const cassandraDefaults = {
  keyspace: 'hopper', replication: 1, leaseMs: 15_000, unknownOutcomeMs: 7_000, requestTimeoutMs: 6_000,
} as const satisfies Partial<CassandraSettings>

/**
 * LOCAL_QUORUM for reads and writes, so that a watermark once written is read by every later owner. The driver must never send a statement
 * twice by itself: a counter write is not idempotent, so nothing is retried below the aggregator, and nothing is sent speculatively.
 */
export function clientOptions(settings: CassandraSettings, keyspace?: string): ClientOptions {
  return {
    contactPoints: [...settings.contactPoints],
    localDataCenter: settings.dataCenter,
    ...(keyspace ? { keyspace } : {}),
    ...(settings.username ? { authProvider: new auth.PlainTextAuthProvider(settings.username, settings.password ?? '') } : {}),
    ...(settings.tls ? { sslOptions: { rejectUnauthorized: true } } : {}),
    encoding: { useBigIntAsLong: true },
    socketOptions: { readTimeout: settings.requestTimeoutMs, connectTimeout: 5_000 },
    policies: { retry: new policies.retry.FallthroughRetryPolicy(), reconnection: new policies.reconnection.ExponentialReconnectionPolicy(200, 5_000) },
    queryOptions: {
      prepare: true, isIdempotent: false, fetchSize: 5_000,
      consistency: types.consistencies.localQuorum, serialConsistency: types.consistencies.localSerial,
    },
  }
}
