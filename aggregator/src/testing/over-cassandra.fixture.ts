import { randomBytes } from 'node:crypto'
import type { Storage } from '@hopper/storage'
import { cassandraDefaults, migrate, openCassandra } from '@hopper/storage/cassandra'
import type { Engines } from '@hopper/storage/contract/engines'
import { openEmbedded } from '@hopper/storage/embedded'

/**
 * Opens a keyspace of its own on a real Cassandra, with an embedded log. Batches are small in tests, so the thresholds
 * for packing are small too.
 */
export function overCassandra({
  cassandra,
  dataCenter,
}: Engines): (options: { dir: string; lanes: number }) => Promise<Storage> {
  const settings = {
    ...cassandraDefaults,
    contactPoints: [cassandra],
    dataCenter,
    keyspace: `hopper_agg_${randomBytes(5).toString('hex')}`,
    leaseMs: 5_000,
    unknownOutcomeMs: 100,
    packedIdsMin: 3,
    packedRowsMin: 12,
  }
  return async (options) => {
    await migrate(settings)
    const { log, close } = await openEmbedded(options)
    const rest = await openCassandra(settings, options.lanes)
    return {
      ...rest,
      log,
      close: async () => {
        await close()
        await rest.close()
      },
    }
  }
}
