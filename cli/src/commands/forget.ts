import type { Command } from 'commander'
import { HopperError, type ForgetReport } from '@hopper/contracts'
import { personOf } from '@hopper/storage'
import { forgetPerson } from '../forget/forget-person.ts'
import { openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'
import { commandWith } from './command-with.ts'

/** `hopper forget`: removes a person from every place, and prints the certificate. */
export function forgetCommand(): Command {
  const description =
    'removes a person (u:USER or d:DEVICE) from tables, archive and log and prints a certificate; standalone Hopper ' +
    'must be stopped, in a cluster the aggregators do the work; killed, it continues when run again'
  return commandWith(
    'forget',
    description,
    settingsOf.installation,
    async (config, { app }: { app: string }, person = '') => {
      await forget(config, app, person)
      // Open connections of the drivers would keep the process alive.
      process.exit(0)
    },
  )
    .argument('<person>', 'u:USER, d:DEVICE or the id of a user')
    .requiredOption('--app <id>', 'the app that the person belongs to')
}

async function forget(config: InstallationConfig, app: string, id: string): Promise<void> {
  const storage = await openInstallation(config)
  try {
    if (!(await storage.registry.app(app)))
      throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(app)}.`)
    const report = await forgetPerson(
      storage,
      config,
      { app, ...personOf(id) },
      {
        logger: createLogger(config.logLevel, 'forget'),
        progress,
      },
    )
    console.log(JSON.stringify(report, null, 2))
  } finally {
    await storage.close()
  }
}

let shown = ''

/** Reports on stderr how far the lanes are, and what they wait for. */
function progress({ share, problem: unfinished, lanes }: ForgetReport): void {
  const problems = [...new Set([unfinished ?? [], ...lanes.map(({ problem }) => problem ?? [])].flat())]
  const text = [`${Math.floor(share * 100)} % of the lanes`, ...problems].join('; ')
  if (text !== shown) console.error(`hopper: ${text}`)
  shown = text
}
