import { clearFolds } from '@hopper/storage/cassandra'
import { openInstallation } from '../installation/open-installation.ts'
import { readConfig } from '../config/config.ts'
import { createLogger } from '../logging/logger.ts'
import { settingsOf } from '../config/settings.ts'
import { cassandraSettings } from '../installation/open-storage.ts'
import { countAll } from './count-all.ts'
import { rebuildInstallation } from './rebuild-main.ts'

/**
 * A separate process with the arguments `settings [in-place]`, the settings as JSON. It rebuilds an installation as
 * `hopper rebuild` does, and reports its start and its end. With `in-place` it first empties the tables of a cluster,
 * as no rebuild should: the control of the fault test.
 */
const [settings, how] = process.argv.slice(2) as [string, string | undefined]
const config = readConfig(settingsOf.installation, JSON.parse(settings) as Record<string, string>, {})
process.stdout.write('begun\n')
if (how === 'in-place') await rebuildInPlace()
else
  await rebuildInstallation(config, undefined, { logger: createLogger('silent', 'rebuild'), progress: () => undefined })
process.stdout.write('done\n')
process.exit(0)

async function rebuildInPlace(): Promise<void> {
  const storage = await openInstallation(config)
  for (let lane = 0; lane < storage.log.lanes; lane++) {
    const lease = await storage.lanes.acquire(lane, 'in place')
    await storage.lanes.commit(lease, 0)
    await storage.lanes.release(lease)
  }
  await clearFolds(cassandraSettings(config))
  await countAll(storage, createLogger('silent', 'rebuild'), () => undefined)
}
