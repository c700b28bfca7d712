import { Client } from 'cassandra-driver'
import { counterTableNames, visitorTableNames } from '../../ports/table-definitions.ts'
import { clientOptions, type CassandraSettings } from '../client/settings.ts'

/**
 * What the log can give back. `visitor_versions` are emptied too, so that readers forget what they have kept; they
 * begin again at random numbers.
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
/** What it cannot; `lanes` keeps the epochs of the owners. */
export const keptTables: readonly string[] = [
  'registry',
  'registry_owners',
  'registry_by_id',
  'lanes',
  'migrations',
  'migration_lock',
  'replayed_letters',
]

const TRUNCATE_MS_MAX = 120_000

/**
 * Empties every fold of the log in a keyspace. Every lane must be held by the caller and be committed at position 0
 * before, so that whoever takes the lanes next counts anew; cut in the middle, what is not emptied yet knows what it
 * has counted. Every node must be up.
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
