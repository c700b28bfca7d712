import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HopperError } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import type { ConfigOf } from '../config/config.ts'

/** How to reach an installation, whichever of the two kinds it is. */
export type InstallationConfig = ConfigOf<'installation'>

/** Whether the settings name a cluster rather than a data directory. */
export function isCluster({ kafkaBrokers, cassandraContactPoints }: InstallationConfig): boolean {
  return Boolean(kafkaBrokers || cassandraContactPoints)
}

/**
 * Opens an installation that is there. @throws HopperError HOP_CONFIG when it is not, or when another process has the
 * data directory
 */
export async function openInstallation(config: InstallationConfig): Promise<Storage> {
  if (!isCluster(config)) assertDirectory(config)
  const { openStorage } = await import('./open-storage.ts')
  return openStorage(config)
}

/** Throws HOP_CONFIG when the directory is none of Hopper's, so that a typing error makes no new one. */
export function assertDirectory({ data }: InstallationConfig): void {
  if (!existsSync(join(data, 'log.db')) && !existsSync(join(data, 'tables.db')))
    throw new HopperError('HOP_CONFIG', `There is no data directory of Hopper at ${data}.`)
}
