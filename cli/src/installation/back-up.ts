import { backUpDirectory, type BackupReport } from '@hopper/storage/embedded/backup'
import type { ConfigOf } from '../config/config.ts'
import { DEMO_KEY_FILE } from '../demo/demo-key.ts'

/**
 * Copies the data directory that the settings name, while Hopper may write to it, to a new or empty directory.
 * @throws HopperError HOP_CONFIG for directories that cannot be used, HOP_DATA_DAMAGED when the data is damaged
 */
export function backUp({ data, lanes }: ConfigOf<'directory'>, out: string): Promise<BackupReport> {
  return backUpDirectory({ dir: data, out, lanes, files: [DEMO_KEY_FILE] })
}
