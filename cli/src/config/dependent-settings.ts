import type { AllSettings, SettingName } from './settings.ts'

/** What two or more settings must satisfy together. */
interface Rule {
  /** the rule holds for commands that take all of them */
  readonly of: readonly SettingName[]
  /** the setting to name when it does not hold */
  readonly names: SettingName
  /** a sentence that begins with the setting's name, and says why; undefined when the values go together */
  broken(config: AllSettings): string | undefined
}

/** The aggregator looks after its leases once a second, and renews them after a quarter of their time. */
const LEASE_TICK_MS = 1_000

/**
 * Every dependency between settings, with its reason. What only the engines can tell is checked when they are reached:
 * the group's session time by Kafka, `--unknown-outcome-ms` against each Cassandra node's
 * `counter_write_request_timeout`, `--spool-bytes` against the disk.
 */
export const rules: readonly Rule[] = [
  {
    of: ['cassandraConsistency', 'cassandraReplication'],
    names: 'cassandraConsistency',
    broken: (config) =>
      config.cassandraConsistency === 'LOCAL_ONE' && config.cassandraReplication !== 1
        ? `cannot be LOCAL_ONE with ${config.cassandraReplication} replicas: a watermark that one has need not be read by the next owner`
        : undefined,
  },
  {
    of: ['kafkaSasl', 'kafkaUsername', 'kafkaPassword'],
    names: 'kafkaSasl',
    broken: ({ kafkaSasl, kafkaUsername, kafkaPassword }) =>
      !kafkaSasl && (kafkaUsername ?? kafkaPassword) !== undefined
        ? 'must name the mechanism when a user or a password is given: without it they are not sent'
        : undefined,
  },
  {
    of: ['kafkaSasl', 'kafkaUsername', 'kafkaPassword'],
    names: 'kafkaUsername',
    broken: ({ kafkaSasl, kafkaUsername, kafkaPassword }) =>
      kafkaSasl && !(kafkaUsername && kafkaPassword)
        ? 'and --kafka-password must be given with --kafka-sasl'
        : undefined,
  },
  {
    of: ['cassandraUsername', 'cassandraPassword'],
    names: 'cassandraUsername',
    broken: ({ cassandraUsername, cassandraPassword }) =>
      cassandraPassword !== undefined && !cassandraUsername
        ? 'must be given with --cassandra-password: without it the password is not sent'
        : undefined,
  },
  {
    of: ['leaseMs', 'archiveMs'],
    names: 'leaseMs',
    broken: ({ leaseMs }) =>
      leaseMs < 2 * LEASE_TICK_MS
        ? `must be at least ${2 * LEASE_TICK_MS}: leases are renewed once a second, so a shorter one runs out in between`
        : undefined,
  },
  {
    of: ['kafkaSessionMs', 'leaseMs'],
    names: 'leaseMs',
    broken: ({ kafkaSessionMs, leaseMs }) =>
      leaseMs > 20 * kafkaSessionMs
        ? `must not be more than 20 times --kafka-session-ms (${kafkaSessionMs}): a lane that Kafka has given to another would stand still for the lease`
        : undefined,
  },
]
