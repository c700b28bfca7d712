import { readConfig } from '../config.ts'
import { createLogger } from '../logger.ts'
import { settingsOf } from '../settings.ts'
import { rebuildInstallation } from './rebuild-main.ts'

/** Run as a process of its own: `dir lanes`. Rebuilds the data directory as `hopper rebuild` does, and says when it begins and when it has ended. */
const [data, lanes] = process.argv.slice(2) as [string, string]
process.stdout.write('begun\n')
await rebuildInstallation(readConfig(settingsOf.installation, { data, lanes }, {}), undefined, { logger: createLogger('silent', 'rebuild'), progress: () => undefined })
process.stdout.write('done\n')
