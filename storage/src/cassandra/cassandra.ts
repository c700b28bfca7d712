import { HopperError } from '@hopper/contracts'
import { Client } from 'cassandra-driver'
import type { Storage } from '../ports/storage.ts'
import { registryOf } from '../registry-of.ts'
import { withUnavailableErrors } from './client/unavailable-errors.ts'
import { CassandraArchive } from './archive/archive.ts'
import { CassandraLanes } from './lanes.ts'
import { CassandraClaims } from './claims.ts'
import { CassandraCollection } from './collection.ts'
import { assertMigrated } from './schema/migrate.ts'
import { ClusterClock } from './client/nodes/cluster-clock.ts'
import { clientOptions, serialConsistency, type CassandraSettings } from './client/settings.ts'
import { frozenNodesOf, type NodeLogger } from './client/nodes/frozen-nodes.ts'
import { probeHosts, type ResponsiveHosts } from './client/nodes/responsive-hosts.ts'
import { measureKeyspace } from './disk-use.ts'
import { CassandraSecrets } from './secrets.ts'
import { CassandraTableReader } from './table-reader.ts'
import { CassandraTableWriter } from './table-writer.ts'

export { clearFolds } from './schema/clear-folds.ts'
export { assertOutlastsCounterWrites } from './client/counter-timeout.ts'
export { migrate } from './schema/migrate.ts'
export { cassandraDefaults, consistencies, type CassandraSettings, type Consistency } from './client/settings.ts'

/**
 * Opens a storage without the log over one Cassandra cluster. Throws HOP_CONFIG when `migrate` has not prepared the
 * keyspace, HOP_STORE_UNAVAILABLE when the cluster cannot be reached. `logger` is told which nodes lanes wait for, and
 * whether the clock of this machine differs from theirs.
 */
export async function openCassandra(
  settings: CassandraSettings,
  lanes: number,
  logger?: NodeLogger,
): Promise<Omit<Storage, 'log'>> {
  const clock = new ClusterClock(logger)
  const options = clientOptions(settings, settings.keyspace)
  options.policies!.timestampGeneration = clock
  const driver = new Client(options)
  try {
    await driver.connect()
    await clock.measure(driver)
    await assertMigrated(driver)
  } catch (error) {
    await driver.shutdown()
    throw openError(error as Error, settings)
  }
  const client = withUnavailableErrors(driver, settings.readRepeatMs)
  const probes = probeHosts(driver, options.policies!.loadBalancing as ResponsiveHosts, clock)
  const frozen = frozenNodesOf(client, settings, logger)
  const owners = new CassandraLanes(client, lanes, settings, frozen)
  return {
    archive: new CassandraArchive(client, owners, serialConsistency(settings)),
    writer: new CassandraTableWriter(client, settings, frozen),
    reader: new CassandraTableReader(client, lanes, settings.visitorCacheBytesMax),
    lanes: owners,
    registry: registryOf((kind) => new CassandraCollection(client, kind), new CassandraClaims(client)),
    secrets: new CassandraSecrets(client, serialConsistency(settings)),
    diskUse: () => measureKeyspace(client, settings.keyspace),
    health: async () => {
      const failure = await driver
        .execute('SELECT release_version FROM system.local', [], {
          prepare: false,
          isIdempotent: true,
          readTimeout: 2_000,
        })
        .then(
          () => undefined,
          (error: Error) => error.message,
        )
      // A cluster with a frozen node still answers, but lanes may be waiting for that node.
      const detail = failure ?? frozen.detail
      return [{ name: 'cassandra', healthy: failure === undefined, ...(detail ? { detail } : {}) }]
    },
    close: () => {
      probes.stop()
      return driver.shutdown()
    },
  }
}

function openError(error: Error, { keyspace }: CassandraSettings): HopperError {
  if (error instanceof HopperError) return error
  if (/keyspace .* does not exist/i.test(error.message))
    return new HopperError('HOP_CONFIG', `There is no keyspace ${keyspace}: run "hopper migrate" first.`)
  return new HopperError('HOP_STORE_UNAVAILABLE', 'Cassandra cannot be reached.', { cause: error })
}
