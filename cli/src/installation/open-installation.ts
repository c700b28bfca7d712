import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HopperError } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import type { ConfigOf } from '../config/config.ts'

/** Settings to reach an installation of either kind. */
export type InstallationConfig = ConfigOf<'installation'>

/** Checks whether the settings name a cluster rather than a data directory. */
export function isCluster({ kafkaBrokers, cassandraContactPoints }: InstallationConfig): boolean {
  return Boolean(kafkaBrokers || cassandraContactPoints)
}

/**
 * Opens an existing installation.
 * @throws HopperError HOP_CONFIG when it does not exist, or when another process has the data directory
 */
export async function openInstallation(config: InstallationConfig): Promise<Storage> {
  if (!isCluster(config)) assertDirectory(config)
  const { openStorage } = await import('./open-storage.ts')
  return openStorage(config)
}

/** Throws HOP_CONFIG when the directory is not one of Hopper's, so that a typo does not create a new one. */
export function assertDirectory({ data }: InstallationConfig): void {
  if (!existsSync(join(data, 'log.db')) && !existsSync(join(data, 'tables.db')))
    throw new HopperError('HOP_CONFIG', `There is no data directory of Hopper at ${data}.`)
}
