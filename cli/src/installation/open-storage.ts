import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { HopperError } from '@hopper/contracts'
import { withLog, type Storage } from '@hopper/storage'
import {
  assertOutlastsCounterWrites,
  cassandraDefaults,
  openCassandra,
  type CassandraSettings,
} from '@hopper/storage/cassandra'
import { ensureDirectory, openEmbedded } from '@hopper/storage/embedded'
import { RememberedRegistry, rememberedDefaults } from '@hopper/storage/remembered'
import { SpooledLog, spoolDefaults, type SpoolLogger } from '@hopper/storage/spool'
import { KafkaEventLog, kafkaDefaults, type KafkaSettings } from '@hopper/storage/kafka'
import type { ConfigOf } from '../config/config.ts'

/**
 * Share of the process memory for data fetched from Kafka. Fetched data is compressed, and takes about nine times as
 * much decompressed.
 */
const READ_AHEAD_SHARE = 0.01

/**
 * A command that reads for minutes to hours continues after Cassandra was unavailable for this time: a node restarts in
 * about half of it.
 */
export const commandReadRepeatMs = 60_000

type EngineConfig = Omit<ConfigOf<'installation'>, 'data' | 'acceptLoss'>

/**
 * Opens the installation that the settings name: the cluster if they name its engines, else the data directory of a
 * standalone product that is stopped.
 */
export function openStorage(config: ConfigOf<'installation'>): Promise<Storage> {
  if (config.kafkaBrokers || config.cassandraContactPoints)
    return openCluster(config, { readRepeatMs: commandReadRepeatMs })
  return openEmbedded({ dir: config.data, lanes: config.lanes, acceptLoss: config.acceptLoss })
}

/** Additions of a process to the settings with which it opens a cluster. */
export interface ClusterOptions {
  /** opens also while Kafka does not answer, and receives the error */
  readonly onLogUnavailable?: (error: HopperError) => void
  /** the memory of the process; it bounds how far Kafka is read ahead */
  readonly memoryBytes?: number
  /** repeats a read that Cassandra does not answer for this time; fails immediately if missing */
  readonly readRepeatMs?: number
  readonly logger?: Pick<SpoolLogger, 'info' | 'warn'>
}

/**
 * Opens the log in Kafka and everything else in Cassandra.
 * @throws HopperError HOP_CONFIG when one of the engines is not named
 */
export async function openCluster(
  config: EngineConfig,
  { onLogUnavailable, memoryBytes, readRepeatMs, logger }: ClusterOptions = {},
): Promise<Storage> {
  const [{ heldBytesMax, ...settings }, cassandra] = engineSettings(config)
  const kafka = {
    ...settings,
    heldBytesMax:
      memoryBytes === undefined ? heldBytesMax : Math.min(heldBytesMax, Math.ceil(memoryBytes * READ_AHEAD_SHARE)),
  }
  const rest = await openCassandra(
    { ...cassandra, ...(readRepeatMs === undefined ? {} : { readRepeatMs }) },
    config.lanes,
    logger,
  )
  const log = new KafkaEventLog(kafka)
  try {
    await log.connect()
  } catch (error) {
    const isUnavailable = error instanceof HopperError && error.code === 'HOP_LOG_UNAVAILABLE'
    if (!isUnavailable || !onLogUnavailable) {
      await rest.close()
      throw error
    }
    onLogUnavailable(error)
  }
  return withLog(rest, log)
}

/**
 * Opens a cluster for ingest. Messages that Kafka does not take are spooled to the data directory, and the last state
 * of the registry is cached there, so the process starts and continues while either engine is unavailable.
 * @throws HopperError HOP_CONFIG also when another process has the directory
 */
export async function openSpooledCluster(config: ConfigOf<'ingest'>, logger: SpoolLogger): Promise<SpooledCluster> {
  const [kafka, cassandra] = engineSettings(config)
  const spool = {
    ...spoolDefaults,
    dir: join(config.data, 'spool'),
    lanes: config.lanes,
    bytesMax: config.spoolBytes,
    acceptLoss: config.acceptLoss,
  }
  ensureDirectory(config.data)
  await checkSpoolFits(config, logger)
  const log = await SpooledLog.open(spool, () => new KafkaEventLog(kafka).connect(), logger)
  try {
    const remembered = { ...rememberedDefaults, file: join(config.data, 'registry-snapshot.json') }
    const open = (): ReturnType<typeof openCassandra> => openCassandra(cassandra, config.lanes, logger)
    const rest = await RememberedRegistry.start(remembered, open, logger)
    const { registry, secrets } = rest
    return withLog({ registry, secrets, health: () => rest.health(), close: () => rest.close() }, log)
  } catch (error) {
    await log.close()
    throw error
  }
}

/** @throws HopperError HOP_CONFIG when the spool may grow larger than the disk */
async function checkSpoolFits({ data, spoolBytes }: ConfigOf<'ingest'>, logger: SpoolLogger): Promise<void> {
  const { bsize, blocks, bavail } = await statfs(data)
  const [size, free] = [bsize * blocks, bsize * bavail]
  if (size > 0 && spoolBytes > size) {
    throw new HopperError(
      'HOP_CONFIG',
      `--spool-bytes is ${spoolBytes}, but the disk of ${data} has ${size} bytes: the spool must fit on it.`,
    )
  }
  if (spoolBytes > free)
    logger.warn(
      { spoolBytes, free, dir: data },
      'the disk has less room than the spool may take; when it is full, ingest answers 503',
    )
}

/** The parts of a cluster that ingest needs. */
export type SpooledCluster = Pick<Storage, 'registry' | 'secrets' | 'health' | 'close'> & { readonly log: SpooledLog }

/** For processes that write counters: checks that `--unknown-outcome-ms` is long enough for the existing nodes. */
export async function assertExactTimes(config: EngineConfig, logger: Pick<SpoolLogger, 'warn'>): Promise<void> {
  if (config.cassandraContactPoints) await assertOutlastsCounterWrites(cassandraSettings(config), logger)
}

/**
 * Returns the settings of Kafka.
 * @throws HopperError HOP_CONFIG without brokers
 */
export function kafkaSettings(config: EngineConfig): KafkaSettings {
  const {
    kafkaBrokers: brokers,
    kafkaSasl: mechanism,
    kafkaUsername: username = '',
    kafkaPassword: password = '',
  } = config
  if (!brokers) throw missing('HOPPER_KAFKA_BROKERS')
  return {
    ...kafkaDefaults,
    brokers,
    topic: config.kafkaTopic,
    group: config.kafkaGroup,
    lanes: config.lanes,
    replication: config.kafkaReplication,
    sessionTimeoutMs: config.kafkaSessionMs,
    tls: config.kafkaTls,
    ...(mechanism ? { sasl: { mechanism, username, password } } : {}),
  }
}

/**
 * Returns the settings of Cassandra.
 * @throws HopperError HOP_CONFIG without contact points
 */
export function cassandraSettings(config: EngineConfig): CassandraSettings {
  const { cassandraContactPoints: contactPoints, cassandraUsername: username, cassandraPassword: password } = config
  if (!contactPoints) throw missing('HOPPER_CASSANDRA_CONTACT_POINTS')
  return {
    ...cassandraDefaults,
    contactPoints,
    dataCenter: config.cassandraDc,
    keyspace: config.cassandraKeyspace,
    replication: config.cassandraReplication,
    consistency: config.cassandraConsistency,
    tls: config.cassandraTls,
    ...(config.cassandraCa === undefined ? {} : { tlsCaFile: config.cassandraCa }),
    requestTimeoutMs: config.cassandraTimeoutMs,
    leaseMs: config.leaseMs,
    unknownOutcomeMs: config.unknownOutcomeMs,
    ...(username === undefined ? {} : { username, password: password ?? '' }),
  }
}

/** Returns the settings of both engines, or throws one error that names every missing one. */
function engineSettings(config: EngineConfig): [KafkaSettings, CassandraSettings] {
  if (!config.kafkaBrokers && !config.cassandraContactPoints)
    throw missing('HOPPER_KAFKA_BROKERS and HOPPER_CASSANDRA_CONTACT_POINTS')
  return [kafkaSettings(config), cassandraSettings(config)]
}

function missing(variables: string): HopperError {
  return new HopperError('HOP_CONFIG', `${variables} must name the engine's address, like host:port.`)
}
