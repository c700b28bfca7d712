import { Client, types } from 'cassandra-driver'
import type { Storage } from '../ports/storage.ts'
import { registryOf } from '../registry-of.ts'
import { CassandraArchive } from './archive.ts'
import { CassandraLanes } from './lanes.ts'
import { CassandraCollection } from './collection.ts'
import { clientOptions, type CassandraSettings } from './settings.ts'
import { CassandraTableReader } from './table-reader.ts'
import { CassandraTableWriter } from './table-writer.ts'

export { migrate } from './migrate.ts'
export { cassandraDefaults, type CassandraSettings } from './settings.ts'

/** Everything of a storage but the log, over one Cassandra cluster whose keyspace `migrate` has prepared. */
export async function openCassandra(settings: CassandraSettings, lanes: number): Promise<Omit<Storage, 'log'>> {
  const client = new Client(clientOptions(settings, settings.keyspace))
  await client.connect()
  const owners = new CassandraLanes(client, lanes, settings)
  return {
    archive: new CassandraArchive(client, owners, types.consistencies.localSerial),
    writer: new CassandraTableWriter(client, settings),
    reader: new CassandraTableReader(client, lanes),
    lanes: owners,
    registry: registryOf((kind) => new CassandraCollection(client, kind)),
    health: async () => {
      const detail = await client.execute('SELECT release_version FROM system.local', [], { prepare: false, readTimeout: 2_000 }).then(() => undefined, (error: Error) => error.message)
      return [{ name: 'cassandra', healthy: detail === undefined, ...(detail ? { detail } : {}) }]
    },
    close: () => client.shutdown(),
  }
}
