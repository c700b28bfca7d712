import { randomBytes } from 'node:crypto'
import { Client } from 'cassandra-driver'
import type { Engines } from '../../contract/engines.ts'
import { cassandraDefaults, type CassandraSettings } from '../cassandra.ts'
import { clientOptions } from '../client/settings.ts'

/** A keyspace for one test file. */
export interface OwnKeyspace {
  readonly settings: CassandraSettings
  /** Must be called at the end: a shared engine has no room for the tables of many runs. */
  readonly drop: () => Promise<void>
}

/** Chooses a unique keyspace name; `migrate` creates the keyspace. */
export function ownKeyspace(engines: Engines | undefined, some: Partial<CassandraSettings> = {}): OwnKeyspace {
  const settings: CassandraSettings = {
    ...cassandraDefaults,
    contactPoints: [engines?.cassandra ?? ''],
    dataCenter: engines?.dataCenter ?? '',
    keyspace: `hopper_${randomBytes(6).toString('hex')}`,
    leaseMs: 30_000,
    unknownOutcomeMs: 500,
    ...some,
  }
  return {
    settings,
    drop: async () => {
      const client = new Client(clientOptions(settings))
      try {
        await client.execute(`DROP KEYSPACE IF EXISTS ${settings.keyspace}`, [], {
          prepare: false,
          readTimeout: 60_000,
        })
      } finally {
        await client.shutdown()
      }
    },
  }
}
