import { Option, type Command } from 'commander'
import { HopperError } from '@hopper/contracts'
import { exportFormats, type ExportFormat } from '@hopper/engine'
import { dateOption } from '../audit/date-option.ts'
import { openInstallation, type InstallationConfig } from '../installation/open-installation.ts'
import { commandWith } from './command-with.ts'
import { describeCounts } from '../export/dump-counts.ts'
import { dumpInstallation, type DumpReport } from '../export/dump.ts'
import { exportApp } from '../export/export-app.ts'
import { writeOut } from '../export/write-out.ts'
import { settingsOf } from '../config/settings.ts'

interface ExportOptions {
  readonly app?: string
  readonly all?: true
  readonly format: ExportFormat
  readonly from?: string
  readonly to?: string
  readonly out: string
  readonly partial?: true
}

/** `hopper export`: the events of an app for other tools, or a whole installation for another one. */
export function exportCommand(): Command {
  const description =
    'hands out the events of an app, or with --all a dump of the installation that "hopper import" reads'
  return commandWith('export', description, settingsOf.installation, async (config, options: ExportOptions) => {
    check(options)
    await write(config, options)
    // Open connections of the drivers would keep the process alive.
    process.exit(0)
  })
    .option('--app <id>', 'the app whose events are exported')
    .option('--all', 'everything: organizations, apps, keys (as hashes), members, funnels, elements and the whole log')
    .addOption(
      new Option('--format <format>', 'arrow is an Arrow IPC stream')
        .choices(Object.keys(exportFormats))
        .default('ndjson'),
    )
    .option('--from <date>', 'the first date (default: that of the oldest event)', dateOption)
    .option('--to <date>', 'the last date (default: that of the newest event)', dateOption)
    .option('--partial', 'with --all: dump also a log that has lost messages; what is missing is named')
    .option('--out <file>', 'where to; - is stdout, a name that ends with .zst is compressed', '-')
}

/** Reports to stderr, since the dump may go to stdout. */
const report: DumpReport = {
  leftOut: (message) => console.error(`hopper: ${message}`),
  done: (counts) => console.error(`The dump holds ${describeCounts(counts)}.`),
}

function check({ app, all, from, to, partial }: ExportOptions): void {
  if ((app === undefined) === (all === undefined)) throw new HopperError('HOP_CONFIG', 'Say --app ID or --all.')
  if (all && (from ?? to) !== undefined)
    throw new HopperError('HOP_CONFIG', '--from and --to belong to --app; a dump is whole.')
  if (app !== undefined && partial) throw new HopperError('HOP_CONFIG', '--partial belongs to --all.')
  if (from && to && from > to) throw new HopperError('HOP_CONFIG', '--from must not be after --to.')
}

async function write(config: InstallationConfig, options: ExportOptions): Promise<void> {
  const storage = await openInstallation(config)
  try {
    if (options.app === undefined) return await writeOut(dumpInstallation(storage, options, report), options.out)
    const app = await storage.registry.app(options.app)
    if (!app) throw new HopperError('HOP_CONFIG', `No app is named ${JSON.stringify(options.app)}.`)
    const { archive } = storage
    if (!archive) throw new HopperError('HOP_CONFIG', 'This installation keeps no archive.')
    await writeOut(exportApp({ ...storage, archive }, app, options), options.out)
  } finally {
    await storage.close()
  }
}
