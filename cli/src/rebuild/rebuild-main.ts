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

/** Receives the progress of a rebuild. */
export interface RebuildReport {
  readonly logger: AggregatorLogger
  readonly progress: Progress
}

/**
 * Counts the log again in staging tables and a staging archive, and swaps in the result when it is complete (decision
 * 0021). Whenever it is killed, readers see either the old state or the recounted one, and the next run continues it.
 * @throws HopperError when another process has the data directory or a lane, when a log has lost its beginning, and
 * when one app is requested in a cluster
 */
export async function rebuildInstallation(
  config: InstallationConfig,
  app: string | undefined,
  report: RebuildReport,
): Promise<void> {
  if (isCluster(config)) return rebuildCluster(config, app, report)
  assertDirectory(config)
  // Only the tables still have the messages that the log has lost.
  if (!config.acceptLoss) assertLogIntact(config.data, config.lanes)
  const rebuild = await openRebuild(config.data, config.lanes, basisOf)
  try {
    if (app !== undefined && !(await rebuild.storage.registry.app(app)))
      throw new HopperError('HOP_CONFIG', `There is no app ${JSON.stringify(app)}.`)
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
