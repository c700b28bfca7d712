import { Option, type Command } from 'commander'
import { HopperError } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { assertDirectory, isCluster, type InstallationConfig } from '../installation/open-installation.ts'
import { commandWith } from './command-with.ts'
import { describeCounts } from '../export/dump-counts.ts'
import { formatNames, formatOf, type FormatName } from '../import/from/format.ts'
import { describeFile } from '../import/from/file-counts.ts'
import { appNamed, importFile } from '../import/from/import-file.ts'
import { readMapping } from '../import/from/mapping.ts'
import { SourceFile } from '../import/from/source-file.ts'
import { importDump, verifyDump } from '../import/import-dump.ts'
import { readLines } from '../import/read-lines.ts'
import { createLogger } from '../logging/logger.ts'
import { countAll } from '../rebuild/count-all.ts'
import { boundGarbage } from '../rebuild/bounded-garbage.ts'
import { settingsOf } from '../config/settings.ts'

const EXIT_REJECTED = 1
const SHOW_MS = 200

interface ImportOptions {
  readonly from?: FormatName
  readonly app?: string
  readonly mapping?: string
  readonly strict?: true
}

/** `hopper import FILE`: reads a dump of `hopper export --all`, or with `--from` an export of another product. */
export function importCommand(): Command {
  const description =
    'reads a dump of "hopper export --all", or with --from the events of a file; ' +
    'interrupted, it continues when it is run again; nothing counts twice'
  return commandWith<(typeof settingsOf.installation)[number], ImportOptions>(
    'import',
    description,
    settingsOf.installation,
    async (config, options, file) => {
      boundGarbage()
      const exitCode = await (options.from === undefined
        ? importDumpFile(config, options, file)
        : importEvents(config, options, options.from, file))
      // Open connections of the drivers would keep the process alive.
      process.exit(exitCode)
    },
  )
    .addOption(new Option('--from <format>', 'format of the file, unless it is a dump').choices(formatNames))
    .option('--app <id>', 'with --from: the app whose events they are (default: the only one)')
    .option('--mapping <file>', 'with --from csv or ndjson: a JSON file that says which column is which field')
    .option('--strict', 'with --from: exit code 1 when a row was rejected')
    .argument('<file>', 'the file, compressed or not; - is stdin, for a dump')
}

async function importDumpFile(
  config: InstallationConfig,
  { app, mapping, strict }: ImportOptions,
  file: string,
): Promise<number> {
  if (app !== undefined || mapping !== undefined || strict)
    throw new HopperError('HOP_CONFIG', '--app, --mapping and --strict are for --from: a dump has everything in it.')
  // A truncated or modified file is refused before anything is imported. A dump from a pipe is verified at its end.
  if (file !== '-') await verifyDump(readLines(file))
  await withStorage(config, async (storage) => {
    const { skipped, ...counts } = await importDump(storage, readLines(file), (messages) =>
      show(`${messages} messages`),
    )
    await count(config, storage)
    const earlier = skipped > 0 ? ` ${skipped} of the messages had been imported before.` : ''
    console.log(`Imported: ${describeCounts(counts)}.${earlier}`)
  })
  return 0
}

async function importEvents(
  config: InstallationConfig,
  options: ImportOptions,
  from: FormatName,
  path: string,
): Promise<number> {
  const mapping = options.mapping === undefined ? undefined : await readMapping(options.mapping)
  const format = formatOf(from, path, mapping)
  const file = await SourceFile.open(path)
  let rejected = 0
  if (!isCluster(config)) assertDirectory(config)
  await withStorage(config, async (storage) => {
    const app = await appNamed(storage, options.app)
    const startedMs = performance.now()
    const report = progressOf(file.identity.size)
    const counts = await importFile(storage, { app, file, from, format, mapping }, report)
    const seconds = (performance.now() - startedMs) / 1_000
    await count(config, storage)
    show('')
    console.log(describeFile(counts, seconds))
    rejected = counts.rejected
  })
  return options.strict && rejected > 0 ? EXIT_REJECTED : 0
}

async function withStorage(config: InstallationConfig, work: (storage: Storage) => Promise<void>): Promise<void> {
  const { openStorage } = await import('../installation/open-storage.ts')
  const storage = await openStorage(config)
  try {
    await work(storage)
  } finally {
    await storage.close()
  }
}

/** Counts the imported messages. In a cluster the aggregators do that. */
async function count(config: InstallationConfig, storage: Storage): Promise<void> {
  if (isCluster(config)) return
  const logger = createLogger(config.logLevel, 'import')
  await countAll(storage, logger, (done, all) => show(`${done} of ${all} messages counted`))
}

function progressOf(size: number): (rows: number, bytes: number) => void {
  const startedMs = performance.now()
  let shownMs = startedMs
  return (rows, bytes) => {
    const now = performance.now()
    if (now - shownMs < SHOW_MS) return
    shownMs = now
    const rate = Math.round((rows * 1_000) / (now - startedMs))
    show(`${Math.floor((100 * bytes) / Math.max(size, 1))} %  ${rows} rows  ${rate} rows/s`)
  }
}

/** Replaces the line shown before, on a terminal only. */
function show(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${text}\u001b[K`)
}
