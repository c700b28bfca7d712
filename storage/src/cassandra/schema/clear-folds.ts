import { Client } from 'cassandra-driver'
import { counterTableNames, visitorTableNames } from '../../ports/table-definitions.ts'
import { clientOptions, type CassandraSettings } from '../client/settings.ts'

/**
 * Tables that can be rebuilt from the log. `visitor_versions` is emptied too, so that readers discard their caches; its
 * versions begin again at random numbers.
 */
export const folds: readonly string[] = [
  ...counterTableNames,
  ...visitorTableNames,
  'seen_by_date',
  'seen_blocks_by_date',
  'visitor_blocks_by_date',
  'person_by_device',
  'devices_by_person',
  'first_users',
  'sessions_by_month',
  'dead_letters',
  'spans',
  'span_months',
  'chunk_cells',
  'span_ledger',
  'visitor_versions',
  'visitor_digests',
  'visitor_deltas',
]
/** Tables that cannot be rebuilt from the log; `lanes` keeps the epochs of the owners. */
export const keptTables: readonly string[] = [
  'registry',
  'registry_owners',
  'registry_by_id',
  'lanes',
  'migrations',
  'migration_lock',
  'replayed_letters',
  'secrets',
  'passing_secrets',
  'key_generations',
  'claims',
]

const TRUNCATE_MS_MAX = 120_000

/**
 * Empties every fold of the log in a keyspace. The caller must hold every lane and must have committed position 0 for
 * it, so that the next owners count from the start. After an interruption, a table that is not emptied yet still has
 * its counts and watermarks. Every node must be up.
 */
export async function clearFolds(settings: CassandraSettings): Promise<void> {
  const client = new Client(clientOptions(settings, settings.keyspace))
  try {
    await client.connect()
    for (const table of folds)
      await client.execute(`TRUNCATE ${table}`, [], { prepare: false, readTimeout: TRUNCATE_MS_MAX })
  } finally {
    await client.shutdown()
  }
}
