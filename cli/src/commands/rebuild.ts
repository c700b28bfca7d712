import type { Command } from 'commander'
import type { InstallationConfig } from '../installation/open-installation.ts'
import { commandWith } from './command-with.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper rebuild`: recounts all tables and the archive from the log. */
export function rebuildCommand(): Command {
  const description =
    'recounts all tables and the archive from the log and then replaces the present ones; Hopper must be stopped; ' +
    'if interrupted, run it again to continue'
  return commandWith('rebuild', description, settingsOf.installation, async (config, { app }: { app?: string }) => {
    await rebuild(config, app)
    // Open connections of the drivers would keep the process alive.
    process.exit(0)
  }).option('--app <id>', 'only the tables and the archive of this app (standalone only)')
}

async function rebuild(config: InstallationConfig, app: string | undefined): Promise<void> {
  const { assertExactTimes } = await import('../installation/open-storage.ts')
  await assertExactTimes(config, createLogger(config.logLevel, 'rebuild'))
  const { rebuildInstallation } = await import('../rebuild/rebuild-main.ts')
  let counted = 0
  await rebuildInstallation(config, app, {
    logger: createLogger(config.logLevel, 'rebuild'),
    progress: (done, all) => {
      counted = all
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} messages`)
    },
  })
  console.log(`${counted} messages of the log are counted and archived again.`)
}
