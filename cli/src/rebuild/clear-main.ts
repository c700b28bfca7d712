import { HopperError } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { clearFolds as clearCassandra } from '@hopper/storage/cassandra'
import { assertLogIntact, clearFolds as clearDirectory } from '@hopper/storage/embedded'
import { HeldLane } from '../audit/held-lane.ts'
import { assertDirectory, isCluster, openInstallation, type InstallationConfig } from '../audit/open-installation.ts'
import { cassandraSettings } from '../storage-main.ts'

/**
 * Empties the folds of an installation, so that its log is counted anew. @throws HopperError when another process has the data directory or a lane,
 * when a log has lost its beginning, and when one app is asked for in a cluster: Cassandra can not count anew what was deleted from its counters.
 */
export async function clearInstallation(config: InstallationConfig, app: string | undefined): Promise<void> {
  if (isCluster(config)) return clearCluster(config, app)
  assertDirectory(config)
  // What the log has lost, the tables are all that is left of.
  if (!config.acceptLoss) assertLogIntact(config.data, config.lanes)
  if (app !== undefined) await assertApp(config, app)
  // Not opened before, so that tables of an earlier version are no hindrance.
  clearDirectory(config.data, app)
}

async function clearCluster(config: InstallationConfig, app: string | undefined): Promise<void> {
  if (app !== undefined) {
    throw new HopperError('HOP_CONFIG', 'In a cluster all apps are rebuilt at once; "hopper audit --app ID --repair" corrects the tables of one.')
  }
  await using opened = new AsyncDisposableStack()
  const storage = await openInstallation(config)
  opened.defer(() => storage.close())
  await assertWholeLog(storage)
  const { log, lanes } = storage
  const takes = await Promise.allSettled(Array.from({ length: log.lanes }, (_, lane) => HeldLane.take(lanes, lane, `rebuild-${process.pid}`)))
  const owned = takes.flatMap((take) => (take.status === 'fulfilled' ? [opened.use(take.value)] : []))
  for (const take of takes) if (take.status === 'rejected') throw take.reason
  // From here on whoever takes a lane reads it from its beginning, also when this process is killed before it has emptied anything.
  for (const { lease } of owned) await lanes.commit(lease, 0)
  await clearCassandra(cassandraSettings(config))
}

async function assertWholeLog({ log }: Storage): Promise<void> {
  for (let lane = 0; lane < log.lanes; lane++) {
    const [first] = await log.read(lane, 0, 1)
    if (first && first.position > 0) {
      const lost = `The log of lane ${lane} begins at position ${first.position}: what was before can not be counted anew.`
      throw new HopperError('HOP_CONFIG', `${lost} "hopper audit --repair" corrects the tables from the archive.`)
    }
  }
}

async function assertApp(config: InstallationConfig, id: string): Promise<void> {
  const { registry, close } = await openInstallation(config)
  try {
    if (!(await registry.app(id))) throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(id)}.`)
  } finally {
    await close()
  }
}
