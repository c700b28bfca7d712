import type { Command } from 'commander'
import { settingsOf } from '../config/settings.ts'
import { backUp } from '../installation/back-up.ts'
import { commandWith } from './command-with.ts'

const BYTES_PER_MB = 1_000_000

/** `hopper backup`: a copy of a data directory, taken while Hopper runs. */
export function backupCommand(): Command {
  const description =
    'copies the data directory of a standalone Hopper while it runs; the copy is checked and is a data directory, so ' +
    'restoring it is starting Hopper with it; back up a cluster by "hopper export --all"'
  return commandWith('backup', description, settingsOf.directory, async (config, _options, out = '') => {
    const { bytes, messages } = await backUp(config, out)
    console.error(`The backup has ${Math.ceil(bytes / BYTES_PER_MB)} MB and ${messages} messages of the log.`)
  }).argument('<directory>', 'the directory of the backup; must not exist or be empty')
}
