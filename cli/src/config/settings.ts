import { oidcSettings } from './oidc-settings.ts'
import {
  addresses,
  anyText,
  bearerToken,
  hostName,
  integer,
  kafkaName,
  keyspaceName,
  memoryMb,
  oneOf,
  mailAddress,
  origin,
  origins,
  path,
  smtpUrl,
  booleanValue,
  plainName,
  writeKey,
} from './setting-values.ts'

/** One setting: a flag, an environment variable, a default, and one line of help. The flag overrides the variable. */
export interface Setting<T> {
  readonly flag: string
  readonly variable: string
  /** as it would be typed; undefined when there is none */
  readonly default?: string
  readonly help: string
  /** true if the flag may be given without a value, which means `true` */
  readonly isSwitch?: boolean
  /** Parses the text, or throws an Error whose message completes the sentence "… must be". */
  read(text: string): T
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]
/** as the Cassandra adapter names them */
const consistencies = ['LOCAL_QUORUM', 'QUORUM', 'LOCAL_ONE'] as const
const saslMechanisms = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

/** All settings. A test checks that `docs/settings.md` lists the same. */
export const settings = {
  port: {
    flag: '--port',
    variable: 'HOPPER_PORT',
    default: '8080',
    help: 'the port to listen on; 0 for any free one',
    read: integer(0, 65_535),
  },
  host: {
    flag: '--host',
    variable: 'HOPPER_HOST',
    default: '127.0.0.1',
    help: 'the address to listen on; 0.0.0.0 for all of the machine',
    read: hostName,
  },
  data: {
    flag: '--data',
    variable: 'HOPPER_DATA',
    default: './data',
    help: 'the directory of all data, or of the spool of ingest; created if missing',
    read: path,
  },
  acceptLoss: {
    flag: '--accept-loss',
    variable: 'HOPPER_ACCEPT_LOSS',
    default: 'false',
    isSwitch: true,
    help: 'true: start although acknowledged events are lost, and record which; for one start only',
    read: booleanValue,
  },
  provision: {
    flag: '--provision',
    variable: 'HOPPER_PROVISION',
    help: 'a JSON file of organizations, apps, keys and funnels, applied at each start',
    read: path,
  },
  lanes: {
    flag: '--lanes',
    variable: 'HOPPER_LANES',
    default: '8',
    help: 'ordered sub-streams of the log; fixed when the data directory or the topic is created',
    read: integer(1, 1_024),
  },
  publicUrl: {
    flag: '--public-url',
    variable: 'HOPPER_PUBLIC_URL',
    help: 'the address that browsers use, if there is a proxy in between',
    read: origin,
  },
  ingestUrl: {
    flag: '--ingest-url',
    variable: 'HOPPER_INGEST_URL',
    help: "the address from which sites load the tracker, if it is not the dashboard's",
    read: origin,
  },
  trustedProxies: {
    flag: '--trusted-proxies',
    variable: 'HOPPER_TRUSTED_PROXIES',
    default: '0',
    help: 'how many proxies in a row are in front; that number of entries at the end of X-Forwarded-For is trusted',
    read: integer(0, 16),
  },
  connections: {
    flag: '--connections',
    variable: 'HOPPER_CONNECTIONS',
    default: '10000',
    help: 'connections that one process holds; without --trusted-proxies, one address holds at most a quarter',
    read: integer(32, 1_000_000),
  },
  metricsToken: {
    flag: '--metrics-token',
    variable: 'HOPPER_METRICS_TOKEN',
    help: 'readers of /metrics must send it as a bearer token; without one, only programs on this machine read them',
    read: bearerToken,
  },
  geo: {
    flag: '--geo',
    variable: 'HOPPER_GEO',
    help: 'a file of the MaxMind DB format, for country and region of visitors; read again when it was replaced',
    read: path,
  },
  alertWebhooks: {
    flag: '--alert-webhooks',
    variable: 'HOPPER_ALERT_WEBHOOKS',
    help: 'origins that alerts may be sent to by webhook, separated by commas',
    read: origins,
  },
  alertPrivateAddresses: {
    flag: '--alert-private-addresses',
    variable: 'HOPPER_ALERT_PRIVATE_ADDRESSES',
    default: 'false',
    isSwitch: true,
    help: 'true: webhook origins may have addresses that are not of the public internet',
    read: booleanValue,
  },
  smtpUrl: {
    flag: '--smtp-url',
    variable: 'HOPPER_SMTP_URL',
    help:
      'the SMTP server for e-mails of alerts: smtps://USER:PASSWORD@HOST:PORT, or smtp://; better as a variable, ' +
      'since every user of the machine can see flags',
    read: smtpUrl,
  },
  mailFrom: {
    flag: '--mail-from',
    variable: 'HOPPER_MAIL_FROM',
    help: 'the sender address of e-mails about alerts',
    read: mailAddress,
  },
  ...oidcSettings,
  rate: {
    flag: '--rate',
    variable: 'HOPPER_RATE',
    default: '20000',
    help: 'requests per second that one key may send to ingest; twice as many in a burst',
    read: integer(1, 1_000_000),
  },
  eventRate: {
    flag: '--event-rate',
    variable: 'HOPPER_EVENT_RATE',
    default: '10000',
    help:
      'ordinary events per second that one key may send to ingest, costly ones count as several; ' +
      'twice as many in a burst',
    read: integer(1, 10_000_000),
  },
  byteRate: {
    flag: '--byte-rate',
    variable: 'HOPPER_BYTE_RATE',
    default: '5000000',
    help: 'bytes per second, decompressed, that one key may send to ingest; twice as many in a burst',
    read: integer(1_000, 10_000_000_000),
  },
  sourceShare: {
    flag: '--source-share',
    variable: 'HOPPER_SOURCE_SHARE',
    default: '50',
    help:
      'percent of each rate of a key that one address may send, whatever its keys; ' +
      'addresses of this machine may all',
    read: integer(1, 100),
  },
  spoolBytes: {
    flag: '--spool-bytes',
    variable: 'HOPPER_SPOOL_BYTES',
    default: '1000000000',
    help: 'bytes of disk that ingest of a cluster may fill with events while Kafka is unavailable; 0 for none',
    read: integer(0, 1_000_000_000_000),
  },
  external: {
    flag: '--external',
    variable: 'HOPPER_EXTERNAL',
    help: 'a directory of files that other systems write; a sub-directory for each app',
    read: path,
  },
  externalTopic: {
    flag: '--external-topic',
    variable: 'HOPPER_EXTERNAL_TOPIC',
    default: 'hopper.external',
    help: 'a Kafka topic that other systems write; migrate creates it, ingest reads it',
    read: kafkaName,
  },
  demo: {
    flag: '--demo',
    variable: 'HOPPER_DEMO',
    help:
      'whether there is a demo shop with its app; without it, there is one where only this machine reaches Hopper: ' +
      '--host is a loopback address, and neither --public-url nor --trusted-proxies is given',
    read: booleanValue,
  },
  demoKey: {
    flag: '--demo-key',
    variable: 'HOPPER_DEMO_KEY',
    help: 'in a cluster: the write key of the demo shop, which ingest then serves at /demo/',
    read: writeKey,
  },
  logLevel: {
    flag: '--log-level',
    variable: 'HOPPER_LOG_LEVEL',
    default: 'info',
    help: `the lowest level that is logged: ${logLevels.join(', ')}`,
    read: oneOf(logLevels),
  },

  kafkaBrokers: {
    flag: '--kafka-brokers',
    variable: 'HOPPER_KAFKA_BROKERS',
    help: 'host:port of some brokers',
    read: addresses,
  },
  kafkaTopic: {
    flag: '--kafka-topic',
    variable: 'HOPPER_KAFKA_TOPIC',
    default: 'hopper-events',
    help: 'the topic of the log; created if missing',
    read: kafkaName,
  },
  kafkaGroup: {
    flag: '--kafka-group',
    variable: 'HOPPER_KAFKA_GROUP',
    default: 'hopper-aggregator',
    help: 'the consumer group of the aggregators',
    read: kafkaName,
  },
  kafkaReplication: {
    flag: '--kafka-replication',
    variable: 'HOPPER_KAFKA_REPLICATION',
    default: '1',
    help: 'replicas of the topics when they are created',
    read: integer(1, 15),
  },
  kafkaSessionMs: {
    flag: '--kafka-session-ms',
    variable: 'HOPPER_KAFKA_SESSION_MS',
    default: '10000',
    help: 'after this time without a heartbeat to Kafka an aggregator loses its lanes',
    read: integer(500, 300_000),
  },
  kafkaTls: {
    flag: '--kafka-tls',
    variable: 'HOPPER_KAFKA_TLS',
    default: 'false',
    help: 'true: connect to the brokers by TLS',
    read: booleanValue,
  },
  kafkaSasl: {
    flag: '--kafka-sasl',
    variable: 'HOPPER_KAFKA_SASL',
    help: `the SASL mechanism: ${saslMechanisms.join(', ')}`,
    read: oneOf(saslMechanisms),
  },
  kafkaUsername: {
    flag: '--kafka-username',
    variable: 'HOPPER_KAFKA_USERNAME',
    help: 'the user for SASL',
    read: anyText,
  },
  kafkaPassword: {
    flag: '--kafka-password',
    variable: 'HOPPER_KAFKA_PASSWORD',
    help: 'the password for SASL; better as a variable, because every user of the machine can see flags',
    read: anyText,
  },

  cassandraContactPoints: {
    flag: '--cassandra-contact-points',
    variable: 'HOPPER_CASSANDRA_CONTACT_POINTS',
    help: 'host:port of some nodes; all nodes have the same port',
    read: addresses,
  },
  cassandraDc: {
    flag: '--cassandra-dc',
    variable: 'HOPPER_CASSANDRA_DC',
    default: 'datacenter1',
    help: 'the local data center',
    read: plainName,
  },
  cassandraKeyspace: {
    flag: '--cassandra-keyspace',
    variable: 'HOPPER_CASSANDRA_KEYSPACE',
    default: 'hopper',
    help: 'the keyspace; created by "hopper migrate"',
    read: keyspaceName,
  },
  cassandraReplication: {
    flag: '--cassandra-replication',
    variable: 'HOPPER_CASSANDRA_REPLICATION',
    default: '1',
    help: 'replicas of each row in the data center when the keyspace is created',
    read: integer(1, 15),
  },
  cassandraConsistency: {
    flag: '--cassandra-consistency',
    variable: 'HOPPER_CASSANDRA_CONSISTENCY',
    default: 'LOCAL_QUORUM',
    help: `consistency of all reads and writes: ${consistencies.join(', ')}; LOCAL_ONE only with a single replica`,
    read: oneOf(consistencies),
  },
  cassandraTls: {
    flag: '--cassandra-tls',
    variable: 'HOPPER_CASSANDRA_TLS',
    default: 'false',
    help: 'true: connect to the nodes by TLS',
    read: booleanValue,
  },
  cassandraCa: {
    flag: '--cassandra-ca',
    variable: 'HOPPER_CASSANDRA_CA',
    help: "a PEM file of the authority that signed the nodes' certificates",
    read: path,
  },
  cassandraUsername: {
    flag: '--cassandra-username',
    variable: 'HOPPER_CASSANDRA_USERNAME',
    help: 'the user of Cassandra',
    read: anyText,
  },
  cassandraPassword: {
    flag: '--cassandra-password',
    variable: 'HOPPER_CASSANDRA_PASSWORD',
    help: 'the password of the user of Cassandra; better as a variable',
    read: anyText,
  },
  cassandraTimeoutMs: {
    flag: '--cassandra-timeout-ms',
    variable: 'HOPPER_CASSANDRA_TIMEOUT_MS',
    default: '6000',
    help: 'how long to wait for a response of a node',
    read: integer(100, 600_000),
  },
  leaseMs: {
    flag: '--lease-ms',
    variable: 'HOPPER_LEASE_MS',
    default: '15000',
    help: 'how long a lane stays with an aggregator that no longer renews its lease',
    read: integer(1_000, 600_000),
  },
  memoryMb: {
    flag: '--memory-mb',
    variable: 'HOPPER_MEMORY_MB',
    default: '0',
    help: 'megabytes that the aggregator may use; 0 for 70 % of the memory of the machine or container, at most 512',
    read: memoryMb,
  },
  archiveMs: {
    flag: '--archive-ms',
    variable: 'HOPPER_ARCHIVE_MS',
    default: '5000',
    help:
      'how long counted events are buffered before they are archived together; ' +
      'queries over events see them only then',
    read: integer(0, 600_000),
  },
  unknownOutcomeMs: {
    flag: '--unknown-outcome-ms',
    variable: 'HOPPER_UNKNOWN_OUTCOME_MS',
    default: '7000',
    help: 'how long a counter write without a response may be applied: counter_write_request_timeout and a margin',
    read: integer(100, 600_000),
  },

  unsafeNoWatermark: {
    flag: '--unsafe-no-watermark',
    variable: 'HOPPER_UNSAFE_NO_WATERMARK',
    default: '0',
    help: 'only for the control of the fault test: 1 counts messages that are delivered again twice',
    read: booleanValue,
  },
  unsafeNoLease: {
    flag: '--unsafe-no-lease',
    variable: 'HOPPER_UNSAFE_NO_LEASE',
    default: '0',
    help: 'only for the control of the fault test: 1 continues to count after the lease of the lane has run out',
    read: booleanValue,
  },
  unsafeEarlyAck: {
    flag: '--unsafe-early-ack',
    variable: 'HOPPER_UNSAFE_EARLY_ACK',
    default: '0',
    help: 'only for the control of the fault test: 1 acknowledges events before they are stored',
    read: booleanValue,
  },
  unsafeNoDeadLetters: {
    flag: '--unsafe-no-dead-letters',
    variable: 'HOPPER_UNSAFE_NO_DEAD_LETTERS',
    default: '0',
    help: 'only for the control of the fault test: 1 stops a lane at a message that cannot be decoded',
    read: booleanValue,
  },
} as const satisfies Record<string, Setting<unknown>>

type Settings = typeof settings
export type SettingName = keyof Settings
type Value<S> = S extends { default: string; read(text: string): infer T }
  ? T
  : S extends { read(text: string): infer T }
    ? T | undefined
    : never

/** All settings of a process, read once, validated, and passed down. */
export type AllSettings = { readonly [N in SettingName]: Value<Settings[N]> }

/** Connection settings of Kafka and Cassandra, which every process of the cluster takes. */
const engines = [
  'lanes',
  'logLevel',
  'kafkaBrokers',
  'kafkaTopic',
  'kafkaGroup',
  'kafkaReplication',
  'kafkaSessionMs',
  'kafkaTls',
  'kafkaSasl',
  'kafkaUsername',
  'kafkaPassword',
  'cassandraContactPoints',
  'cassandraDc',
  'cassandraKeyspace',
  'cassandraReplication',
  'cassandraConsistency',
  'cassandraTls',
  'cassandraCa',
  'cassandraUsername',
  'cassandraPassword',
  'cassandraTimeoutMs',
  'leaseMs',
  'unknownOutcomeMs',
] as const satisfies SettingName[]

/** Where a process listens, which every process takes. */
const listening = ['port', 'host', 'connections', 'metricsToken'] as const satisfies SettingName[]

/** Settings of alerts, which every process with the API takes. */
const alerts = ['alertWebhooks', 'alertPrivateAddresses', 'smtpUrl', 'mailFrom'] as const satisfies SettingName[]

/** The OpenID provider, which every process with the API takes. */
const oidc = Object.keys(oidcSettings) as (keyof typeof oidcSettings)[]

/** The settings that each subcommand takes. */
export const settingsOf = {
  start: [
    ...listening,
    'data',
    'acceptLoss',
    'provision',
    'lanes',
    'publicUrl',
    'trustedProxies',
    'geo',
    ...alerts,
    ...oidc,
    'rate',
    'eventRate',
    'byteRate',
    'sourceShare',
    'memoryMb',
    'external',
    'demo',
    'logLevel',
    'unsafeNoWatermark',
  ],
  ingest: [
    ...listening,
    'data',
    'acceptLoss',
    'trustedProxies',
    'geo',
    'rate',
    'eventRate',
    'byteRate',
    'sourceShare',
    'spoolBytes',
    'externalTopic',
    'demoKey',
    ...engines,
    'unsafeEarlyAck',
  ],
  aggregator: [
    ...listening,
    'acceptLoss',
    ...engines,
    'memoryMb',
    'archiveMs',
    'unsafeNoWatermark',
    'unsafeNoLease',
    'unsafeNoDeadLetters',
  ],
  api: [...listening, 'publicUrl', 'ingestUrl', 'trustedProxies', ...alerts, ...oidc, ...engines],
  migrate: ['provision', 'publicUrl', 'externalTopic', 'demoKey', ...engines],
  /** those that work on a data directory only */
  directory: ['data', 'lanes'],
  /** those that work on an installation of either kind */
  installation: ['data', 'acceptLoss', ...engines],
} as const satisfies Record<string, SettingName[]>
