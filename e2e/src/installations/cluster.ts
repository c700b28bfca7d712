import { randomBytes } from 'node:crypto'
import { withLog, type Storage } from '@hopper/storage'
import { cassandraDefaults, openCassandra } from '@hopper/storage/cassandra'
import type { Engines } from '@hopper/storage/contract/engines'
import { KafkaEventLog, kafkaDefaults } from '@hopper/storage/kafka'
import { Client } from 'cassandra-driver'
import { Kafka, logLevel } from 'kafkajs'
import { directoryFor, stopAll, type Installation, type InstallationOptions } from './installation.ts'
import { hopper, Service } from './service.ts'

const LANES = 8
const DEMO_KEY = 'hw_demo_0123456789abcdef'
/**
 * Short, so that a killed owner's lease expires soon and nobody waits for the archive. The test engines time out a
 * counter write after 1 s.
 */
const times = {
  HOPPER_LEASE_MS: '2000',
  HOPPER_UNKNOWN_OUTCOME_MS: '1500',
  HOPPER_KAFKA_SESSION_MS: '2000',
  HOPPER_ARCHIVE_MS: '500',
}

export interface ClusterOptions extends InstallationOptions {
  /** number of aggregators that share the lanes; default 1 */
  readonly aggregators?: number
}

/** An installation of several processes over Kafka and Cassandra. */
export interface Cluster extends Installation {
  readonly ingest: Service
  readonly aggregators: readonly Service[]
  readonly api: Service
  /** the settings that name this cluster, for another process of it */
  readonly env: Readonly<Record<string, string>>
  /** Creates the keyspace, once; `start` does it too. */
  migrate(): Promise<void>
}

/** Prepares processes over Kafka and Cassandra, in its own topic and keyspace, without starting it. */
export async function cluster(engines: Engines, options: ClusterOptions = {}): Promise<Cluster> {
  const { provisionArgs, remove, dir } = directoryFor(options)
  const name = `e2e_${randomBytes(6).toString('hex')}`
  const env = {
    HOPPER_KAFKA_BROKERS: engines.kafka,
    HOPPER_KAFKA_TOPIC: name,
    HOPPER_KAFKA_GROUP: name,
    HOPPER_EXTERNAL_TOPIC: externalTopicOf(name),
    HOPPER_LANES: String(LANES),
    HOPPER_CASSANDRA_CONTACT_POINTS: engines.cassandra,
    HOPPER_CASSANDRA_DC: engines.dataCenter,
    HOPPER_CASSANDRA_KEYSPACE: name,
    HOPPER_DEMO_KEY: DEMO_KEY,
    HOPPER_DATA: dir,
    ...times,
    ...options.env,
  }
  const ingest = await Service.of('ingest', [], env)
  const aggregators = await Promise.all(
    Array.from({ length: options.aggregators ?? 1 }, () => Service.of('aggregator', [], env)),
  )
  const api = await Service.of('api', [], env)
  const services = [ingest, ...aggregators, api]
  let migrated: string | undefined
  const migrate = async (): Promise<void> => void (migrated ??= await hopper(['migrate', ...provisionArgs], env))
  return {
    ingestUrl: ingest.url,
    apiUrl: api.url,
    services,
    ingest,
    aggregators,
    api,
    env,
    migrate,
    output: () => [migrated ?? '', ...services.map(({ output }) => output)].join('\n'),
    start: async () => {
      await migrate()
      await Promise.all(services.map((service) => service.start()))
    },
    stop: (signal) => stopAll(services, signal),
    openStorage: () => openStorage(engines, name),
    run: (args) => hopper(args, env),
    dispose: async () => {
      for (const service of services) service.signal('SIGCONT')
      await stopAll(services, 'SIGKILL')
      await drop(engines, name)
      remove()
    },
  }
}

/** Clusters of a run share a broker, so each has its own topic for other systems. */
function externalTopicOf(name: string): string {
  return `${name}.external`
}

async function openStorage({ kafka, cassandra, dataCenter }: Engines, name: string): Promise<Storage> {
  const rest = await openCassandra(
    { ...cassandraDefaults, contactPoints: [cassandra], dataCenter, keyspace: name },
    LANES,
  )
  const log = await new KafkaEventLog({
    ...kafkaDefaults,
    brokers: [kafka],
    lanes: LANES,
    topic: name,
    group: name,
  }).connect()
  return withLog(rest, log)
}

/** Engines outlive a test, so the data that it stored in them is removed. */
async function drop({ kafka, cassandra, dataCenter }: Engines, name: string): Promise<void> {
  const client = new Client({
    contactPoints: [cassandra],
    localDataCenter: dataCenter,
    socketOptions: { readTimeout: 60_000 },
  })
  const admin = new Kafka({ brokers: [kafka], logLevel: logLevel.NOTHING }).admin()
  try {
    await admin.connect()
    await Promise.all([
      client.execute(`DROP KEYSPACE IF EXISTS ${name}`),
      admin.deleteTopics({ topics: [name, externalTopicOf(name)] }).catch(() => undefined),
    ])
  } finally {
    await Promise.all([client.shutdown(), admin.disconnect()])
  }
}
