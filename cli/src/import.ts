import type { Command } from 'commander'
import { isCluster, type InstallationConfig } from './audit/open-installation.ts'
import { commandWith } from './command-with.ts'
import { importDump } from './import/import-dump.ts'
import { readLines } from './import/read-lines.ts'
import { createLogger } from './logger.ts'
import { countAll } from './rebuild/count-all.ts'
import { settingsOf } from './settings.ts'

/** `hopper import FILE`: reads what `hopper export --all` wrote into this installation. */
export function importCommand(): Command {
  const description = 'reads a dump of "hopper export --all"; run again, it counts nothing twice'
  return commandWith('import', description, settingsOf.installation, async (config, _options, file) => {
    await importFile(config, file!)
    // The drivers' connections may linger.
    process.exit(0)
  })
    .argument('<file>', 'the dump, compressed or not; - is stdin')
}

async function importFile(config: InstallationConfig, file: string): Promise<void> {
  const { openStorage } = await import('./storage-main.ts')
  const storage = await openStorage(config)
  const show = (text: string): void => void (process.stderr.isTTY && process.stderr.write(`\r${text}`))
  try {
    const { records, envelopes } = await importDump(storage, readLines(file), (done) => show(`${done.envelopes} envelopes`))
    const logger = createLogger(config.logLevel, 'import')
    // In a cluster the aggregators do this.
    if (!isCluster(config)) await countAll(storage, logger, (done, all) => show(`${done} of ${all} messages counted`))
    console.log(`${records} records and ${envelopes} envelopes are imported.`)
  } finally {
    await storage.close()
  }
}
