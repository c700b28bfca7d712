import type { Command } from 'commander'
import { isCluster, type InstallationConfig } from '../installation/open-installation.ts'
import { commandWith } from './command-with.ts'
import { describeCounts } from '../export/dump-counts.ts'
import { importDump, verifyDump } from '../import/import-dump.ts'
import { readLines } from '../import/read-lines.ts'
import { createLogger } from '../processes/logger.ts'
import { countAll } from '../rebuild/count-all.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper import FILE`: reads what `hopper export --all` wrote into this installation. */
export function importCommand(): Command {
  const description =
    'reads a dump of "hopper export --all"; interrupted, it goes on when it is run again; nothing counts twice'
  return commandWith('import', description, settingsOf.installation, async (config, _options, file) => {
    await importFile(config, file)
    // Open connections of the drivers would keep the process alive.
    process.exit(0)
  }).argument('<file>', 'the dump, compressed or not; - is stdin')
}

async function importFile(config: InstallationConfig, file: string): Promise<void> {
  // A truncated or modified file is refused before anything is imported. A dump from a pipe is verified at its end.
  if (file !== '-') await verifyDump(readLines(file))
  const { openStorage } = await import('../installation/open-storage.ts')
  const storage = await openStorage(config)
  const show = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r${text}`))
  try {
    const { skipped, ...counts } = await importDump(storage, readLines(file), (messages) =>
      show(`${messages} messages`),
    )
    const logger = createLogger(config.logLevel, 'import')
    // In a cluster the aggregators count it.
    if (!isCluster(config)) await countAll(storage, logger, (done, all) => show(`${done} of ${all} messages counted`))
    const earlier = skipped > 0 ? ` ${skipped} of the messages had been imported before.` : ''
    console.log(`Imported: ${describeCounts(counts)}.${earlier}`)
  } finally {
    await storage.close()
  }
}
