import { HopperError } from '@hopper/contracts'
import type { AggregatorLogger } from '@hopper/aggregator'
import { assertLogIntact, openRebuild } from '@hopper/storage/embedded'
import {
  assertDirectory,
  isCluster,
  openInstallation,
  type InstallationConfig,
} from '../installation/open-installation.ts'
import { basisOf } from './basis.ts'
import { rebuildCluster } from './cluster-main.ts'
import { countAll, type Progress } from './count-all.ts'

/** Who is told how a rebuild goes. */
export interface RebuildReport {
  readonly logger: AggregatorLogger
  readonly progress: Progress
}

/**
 * Counts the log again, beside the tables and the archive, and puts the outcome in their place when it is whole
 * (decision 0021). Killed at any moment, readers see what was there before or what is counted now; run again, it goes
 * on.
 * @throws HopperError when another process has the data directory or a lane, when a log has lost its beginning, and
 * when one app is asked for in a cluster
 */
export async function rebuildInstallation(
  config: InstallationConfig,
  app: string | undefined,
  report: RebuildReport,
): Promise<void> {
  if (isCluster(config)) return rebuildCluster(config, app, report)
  assertDirectory(config)
  // What the log has lost, the tables are all that is left of.
  if (!config.acceptLoss) assertLogIntact(config.data, config.lanes)
  const rebuild = await openRebuild(config.data, config.lanes, basisOf)
  try {
    if (app !== undefined && !(await rebuild.storage.registry.app(app)))
      throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(app)}.`)
    await countAll(rebuild.storage, report.logger, report.progress)
  } catch (error) {
    await rebuild.close()
    throw error
  }
  await rebuild.replace(app)
  await using opened = new AsyncDisposableStack()
  const storage = await openInstallation(config)
  opened.defer(() => storage.close())
  await countAll(storage, report.logger, report.progress)
}
