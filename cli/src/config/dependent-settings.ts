import type { AllSettings, SettingName } from './settings.ts'

/** A condition on two or more settings together. */
interface Rule {
  /** the rule applies to commands that take all of them */
  readonly dependsOn: readonly SettingName[]
  /** the setting to name when the condition is violated */
  readonly culprit: SettingName
  /**
   * Returns a sentence that begins with the setting's name and gives the reason; undefined when the values are
   * compatible.
   */
  readonly broken: (config: AllSettings) => string | undefined
}

/** The aggregator checks its leases once a second, and renews them after a quarter of their time. */
const LEASE_TICK_MS = 1_000

/**
 * All dependencies between settings, with the reasons. Dependencies on the engines are checked on connecting: the
 * group's session timeout by Kafka, `--unknown-outcome-ms` against each Cassandra node's
 * `counter_write_request_timeout`, and `--spool-bytes` against the disk.
 */
export const rules: readonly Rule[] = [
  {
    dependsOn: ['cassandraConsistency', 'cassandraReplication'],
    culprit: 'cassandraConsistency',
    broken: (config) =>
      config.cassandraConsistency === 'LOCAL_ONE' && config.cassandraReplication !== 1
        ? `cannot be LOCAL_ONE with ${config.cassandraReplication} replicas: ` +
          'a watermark that one has need not be read by the next owner'
        : undefined,
  },
  {
    dependsOn: ['kafkaTopic', 'externalTopic'],
    culprit: 'externalTopic',
    broken: ({ kafkaTopic, externalTopic }) =>
      externalTopic === kafkaTopic
        ? 'cannot be the topic of the log: each of its messages would come back as a bad record'
        : undefined,
  },
  {
    dependsOn: ['kafkaSasl', 'kafkaUsername', 'kafkaPassword'],
    culprit: 'kafkaSasl',
    broken: ({ kafkaSasl, kafkaUsername, kafkaPassword }) =>
      !kafkaSasl && (kafkaUsername ?? kafkaPassword) !== undefined
        ? 'must name the mechanism when a user or a password is given: without it they are not sent'
        : undefined,
  },
  {
    dependsOn: ['kafkaSasl', 'kafkaUsername', 'kafkaPassword'],
    culprit: 'kafkaUsername',
    broken: ({ kafkaSasl, kafkaUsername, kafkaPassword }) =>
      kafkaSasl && !(kafkaUsername && kafkaPassword)
        ? 'and --kafka-password must be given with --kafka-sasl'
        : undefined,
  },
  {
    dependsOn: ['cassandraUsername', 'cassandraPassword'],
    culprit: 'cassandraUsername',
    broken: ({ cassandraUsername, cassandraPassword }) =>
      cassandraPassword !== undefined && !cassandraUsername
        ? 'must be given with --cassandra-password: without it the password is not sent'
        : undefined,
  },
  {
    dependsOn: ['smtpUrl', 'mailFrom'],
    culprit: 'smtpUrl',
    broken: ({ smtpUrl, mailFrom }) =>
      (smtpUrl === undefined) !== (mailFrom === undefined)
        ? 'and --mail-from must be given together: an e-mail needs a server and a sender'
        : undefined,
  },
  {
    dependsOn: ['oidcIssuer', 'oidcClientId', 'oidcClientSecret', 'oidcClientSecretFile', 'oidcOrigins'],
    culprit: 'oidcIssuer',
    broken: (config) =>
      isPartOfProvider(config)
        ? 'and --oidc-client-id must be given together, with --oidc-client-secret or --oidc-client-secret-file: ' +
          'the provider must recognize Hopper'
        : undefined,
  },
  {
    dependsOn: ['oidcClientSecret', 'oidcClientSecretFile'],
    culprit: 'oidcClientSecretFile',
    broken: ({ oidcClientSecret, oidcClientSecretFile }) =>
      oidcClientSecret !== undefined && oidcClientSecretFile !== undefined
        ? 'cannot be given with --oidc-client-secret: which of the two is meant is unknown'
        : undefined,
  },
  {
    dependsOn: ['leaseMs', 'archiveMs'],
    culprit: 'leaseMs',
    broken: ({ leaseMs }) =>
      leaseMs < 2 * LEASE_TICK_MS
        ? `must be at least ${2 * LEASE_TICK_MS}: ` +
          'leases are renewed once a second, so a shorter one runs out in between'
        : undefined,
  },
  {
    dependsOn: ['kafkaSessionMs', 'leaseMs'],
    culprit: 'leaseMs',
    broken: ({ kafkaSessionMs, leaseMs }) =>
      leaseMs > 20 * kafkaSessionMs
        ? `must not be more than 20 times --kafka-session-ms (${kafkaSessionMs}): ` +
          'a lane that Kafka has given to another would stand still for the lease'
        : undefined,
  },
]

/** Returns whether something is given of the OpenID provider, but not all that is needed. */
function isPartOfProvider(config: AllSettings): boolean {
  const { oidcIssuer, oidcClientId, oidcClientSecret, oidcClientSecretFile, oidcOrigins } = config
  const needed = [oidcIssuer, oidcClientId, oidcClientSecret ?? oidcClientSecretFile]
  return needed.includes(undefined) && [...needed, oidcOrigins].some((value) => value !== undefined)
}
