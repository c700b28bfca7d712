import { Client } from 'cassandra-driver'
import type { Storage } from '../../ports/storage.ts'
import { openCassandra } from '../cassandra.ts'
import { migrate } from './migrate.ts'
import { clientOptions, type CassandraSettings } from '../client/settings.ts'

const DROP_MS_MAX = 120_000

/** A second keyspace of an installation, with the same tables, in which its log is counted again. */
export interface Staging {
  readonly storage: Omit<Storage, 'log'>
  /** Removes the keyspace. */
  drop(): Promise<void>
}

/**
 * Opens the keyspace `…_rebuild` and creates it if it is missing. It still contains the rows of an earlier attempt. The
 * user needs the permission to create keyspaces.
 */
export async function openStaging(settings: CassandraSettings, lanes: number): Promise<Staging> {
  const staged = { ...settings, keyspace: `${settings.keyspace}_rebuild` }
  await migrate(staged)
  const storage = await openCassandra(staged, lanes)
  return {
    storage,
    drop: async () => {
      await storage.close()
      const client = new Client(clientOptions(staged))
      try {
        await client.execute(`DROP KEYSPACE IF EXISTS ${staged.keyspace}`, [], {
          prepare: false,
          readTimeout: DROP_MS_MAX,
        })
      } finally {
        await client.shutdown()
      }
    },
  }
}
