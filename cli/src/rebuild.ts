import type { Command } from 'commander'
import { openInstallation, type InstallationConfig } from './audit/open-installation.ts'
import { commandWith } from './command-with.ts'
import { createLogger } from './logger.ts'
import { countAll } from './rebuild/count-all.ts'
import { settingsOf } from './settings.ts'

/** `hopper rebuild`: makes all tables and the archive again from the log. */
export function rebuildCommand(): Command {
  const description = 'makes all tables and the archive again from the log; Hopper must be stopped; killed, the next start finishes it'
  return commandWith('rebuild', description, settingsOf.installation, async (config, { app }: { app?: string }) => {
    await rebuild(config, app)
    // The drivers' connections may linger.
    process.exit(0)
  }).option('--app <id>', 'only what belongs to one app (standalone only)')
}

async function rebuild(config: InstallationConfig, app: string | undefined): Promise<void> {
  const { assertExactTimes } = await import('./storage-main.ts')
  await assertExactTimes(config, createLogger(config.logLevel, 'rebuild'))
  const { clearInstallation } = await import('./rebuild/clear-main.ts')
  await clearInstallation(config, app)
  const storage = await openInstallation(config)
  let counted = 0
  try {
    await countAll(storage, createLogger(config.logLevel, 'rebuild'), (done, all) => {
      counted = all
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all} messages`)
    })
  } finally {
    await storage.close()
  }
  console.log(`${counted} messages of the log are counted and archived anew.`)
}
