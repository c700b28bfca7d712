import { Option, type Command } from 'commander'
import { HopperError } from '@hopper/contracts'
import { exportFormats, type ExportFormat } from '@hopper/engine'
import { dateOption } from './option-values.ts'
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
    'exports the events of an app, or with --all a dump of the installation that "hopper import" reads'
  return commandWith('export', description, settingsOf.installation, async (config, options: ExportOptions) => {
    check(options)
    await write(config, options)
    // Open connections of the drivers would keep the process alive.
    process.exit(0)
  })
    .option('--app <id>', 'the app whose events are exported')
    .option('--all', 'dump organizations, apps, keys (as hashes), members, funnels, elements and the whole log')
    .addOption(
      new Option('--format <format>', 'output format; arrow is an Arrow IPC stream')
        .choices(Object.keys(exportFormats))
        .default('ndjson'),
    )
    .option('--from <date>', 'the first date (default: that of the oldest event)', dateOption)
    .option('--to <date>', 'the last date (default: that of the newest event)', dateOption)
    .option('--partial', 'with --all: also dump a log that has lost messages; reports which are missing')
    .option('--out <file>', 'output file; - is stdout; compressed if the name ends with .zst', '-')
}

/** Reports to stderr, since the dump may go to stdout. */
const report: DumpReport = {
  onLeftOut: (message) => console.error(`hopper: ${message}`),
  onDone: (counts) => console.error(`The dump contains ${describeCounts(counts)}.`),
}

function check({ app, all, from, to, partial }: ExportOptions): void {
  if ((app === undefined) === (all === undefined)) throw new HopperError('HOP_CONFIG', 'Give either --app ID or --all.')
  if (all && (from ?? to) !== undefined)
    throw new HopperError('HOP_CONFIG', '--from and --to need --app; a dump always contains all dates.')
  if (app !== undefined && partial) throw new HopperError('HOP_CONFIG', '--partial needs --all.')
  if (from && to && from > to) throw new HopperError('HOP_CONFIG', '--from must not be after --to.')
}

async function write(config: InstallationConfig, options: ExportOptions): Promise<void> {
  const storage = await openInstallation(config)
  try {
    if (options.app === undefined) return await writeOut(dumpInstallation(storage, options, report), options.out)
    const app = await storage.registry.app(options.app)
    if (!app) throw new HopperError('HOP_CONFIG', `There is no app ${JSON.stringify(options.app)}.`)
    const { archive } = storage
    if (!archive) throw new HopperError('HOP_CONFIG', 'This installation has no archive.')
    await writeOut(exportApp({ ...storage, archive }, app, options), options.out)
  } finally {
    await storage.close()
  }
}
