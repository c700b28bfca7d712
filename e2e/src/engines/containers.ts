import { GenericContainer, Wait, type StartedTestContainer } from 'testcontainers'
import { lazySchema } from './cassandra-jar.ts'
import versions from './versions.json' with { type: 'json' }

const START_TIMEOUT_MS = 180_000
/** Tests run most code of an engine only a few times, so optimizing it costs more than it saves. */
const QUICK_COMPILER = '-XX:TieredStopAtLevel=1'

/** An engine in its own container. */
export interface ContainedEngine {
  /** `host:port` */
  readonly address: string
  stop(): Promise<void>
}

/**
 * Starts the official image of Apache Kafka. Its advertised port is known only once the container runs, so the
 * container waits for a script that names the port and then calls the image's own start.
 */
export async function startKafkaContainer(): Promise<ContainedEngine> {
  const script = '/tmp/start-with-port.sh'
  const container = await new GenericContainer(versions.kafka.image)
    .withExposedPorts(9092)
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,BROKER://:9093,CONTROLLER://:9094',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_INTER_BROKER_LISTENER_NAME: 'BROKER',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9094',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '4',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '500',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_HEAP_OPTS: '-Xmx384m',
      KAFKA_OPTS: QUICK_COMPILER,
    })
    .withEntrypoint([
      'sh',
      '-c',
      `echo waiting for the port; while [ ! -f ${script} ]; do sleep 0.1; done; exec sh ${script}`,
    ])
    .withWaitStrategy(Wait.forLogMessage('waiting for the port'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start()
  const address = `${container.getHost()}:${container.getMappedPort(9092)}`
  await container.copyContentToContainer([
    {
      target: script,
      mode: 0o755,
      content:
        `export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://${address},BROKER://localhost:9093\n` +
        'exec /etc/kafka/docker/run\n',
    },
  ])
  const answers =
    'for i in $(seq 200); do /opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:9093 ' +
    '&& exit 0; sleep 0.2; done; exit 1'
  return ready(container, address, ['sh', '-c', answers])
}

/**
 * Starts the official image of Cassandra. A counter write times out after 1 s, as in the engine that is started from
 * jars. Each test has its own keyspace and drops it, and this node is never restarted: schema changes are not flushed
 * one by one, and nothing is kept of a keyspace.
 */
export async function startCassandraContainer(): Promise<ContainedEngine> {
  const container = await new GenericContainer(versions.cassandra.image)
    .withExposedPorts(9042)
    .withEnvironment({
      MAX_HEAP_SIZE: '768M',
      HEAP_NEWSIZE: '128M',
      CASSANDRA_DC: 'datacenter1',
      CASSANDRA_ENDPOINT_SNITCH: 'GossipingPropertyFileSnitch',
      JVM_EXTRA_OPTS: [
        QUICK_COMPILER,
        lazySchema,
        '-Dcassandra.config.allow_system_properties=true',
        '-Dcassandra.settings.auto_snapshot=false',
      ].join(' '),
    })
    // The log, since a health check with cqlsh would use a third of a core for as long as the node runs.
    .withWaitStrategy(Wait.forLogMessage('Startup complete'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start()
  return ready(container, `${container.getHost()}:${container.getMappedPort(9042)}`, [
    'nodetool',
    'settimeout',
    'counterwrite',
    '1000',
  ])
}

async function ready(container: StartedTestContainer, address: string, command: string[]): Promise<ContainedEngine> {
  const { exitCode, output } = await container.exec(command)
  if (exitCode !== 0) {
    await container.stop()
    throw new Error(`an engine in a container did not get ready (${exitCode}):\n${output.slice(-3_000)}`)
  }
  return { address, stop: async () => void (await container.stop()) }
}
