import { readConfig } from '../config/config.ts'
import { settingsOf } from '../config/settings.ts'
import { openInstallation } from '../installation/open-installation.ts'
import { createLogger } from '../logging/logger.ts'
import { expireApp } from './expire-app.ts'

/**
 * A separate process with the arguments `settings app now`. It expires an app as `hopper retention` does, and reports
 * its start and its end.
 */
const [settings = '{}', id = '', now = '0'] = process.argv.slice(2)
const config = readConfig(settingsOf.installation, JSON.parse(settings) as Record<string, string>, {})
const storage = await openInstallation(config)
const app = (await storage.registry.app(id))!
process.stdout.write('begun\n')
await expireApp(storage, config, app, {
  logger: createLogger('silent', 'retention'),
  progress: () => undefined,
  now: () => Number(now),
})
process.stdout.write('done\n')
process.exit(0)
