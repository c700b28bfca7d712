import type { Command } from 'commander'
import { HopperError } from '@hopper/contracts'
import { settingsOf } from '../config/settings.ts'
import { openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { createLogger } from '../logging/logger.ts'
import { expireApp } from '../retention/expire-app.ts'
import { planExpiry } from '../retention/plan-expiry.ts'
import { commandWith } from './command-with.ts'

/** `hopper retention`: removes data older than the app's retention, and prints what was removed. */
export function retentionCommand(): Command {
  const description =
    'removes the events that are older than the retention of an app, and prints what was removed. Aggregators do it ' +
    'every day. In a cluster this command waits for them; standalone, Hopper must be stopped, and afterwards no file ' +
    'contains anything of these events. An interrupted run continues with the next one'
  return commandWith(
    'retention',
    description,
    settingsOf.installation,
    async (config, { dryRun }: { dryRun?: true }, app = '') => {
      await run(config, app, dryRun === true)
      // Open connections of the drivers would keep the process alive.
      process.exit(0)
    },
  )
    .argument('<app>', 'the app')
    .option('--dry-run', 'prints what would be removed, and changes nothing')
}

async function run(config: InstallationConfig, id: string, isDry: boolean): Promise<void> {
  const storage = await openInstallation(config)
  try {
    const app = await storage.registry.app(id)
    if (!app) throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(id)}.`)
    const plan = await planExpiry(storage, app, Date.now())
    if (isDry) {
      console.log(JSON.stringify({ ...plan, dry_run: true }, null, 2))
      return
    }
    if (plan.kept_from === null) {
      console.log(JSON.stringify(plan, null, 2))
      return
    }
    const report = await expireApp(storage, config, app, {
      logger: createLogger(config.logLevel, 'retention'),
      progress: (text) => console.error(`hopper: ${text}`),
    })
    console.log(JSON.stringify({ ...plan, ...report }, null, 2))
  } finally {
    await storage.close()
  }
}
