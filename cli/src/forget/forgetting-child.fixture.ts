import { readConfig } from '../config/config.ts'
import { settingsOf } from '../config/settings.ts'
import { openInstallation } from '../installation/open-installation.ts'
import { createLogger } from '../logging/logger.ts'
import { forgetPerson } from './forget-person.ts'

/**
 * A separate process with the arguments `settings who`, both as JSON. It forgets a person as `hopper forget` does, and
 * reports its start and its end.
 */
const [settings, who] = process.argv.slice(2).map((text) => JSON.parse(text) as Record<string, string>)
const config = readConfig(settingsOf.installation, settings!, {})
const storage = await openInstallation(config)
process.stdout.write('begun\n')
await forgetPerson(storage, config, who as never, {
  logger: createLogger('silent', 'forget'),
  progress: () => undefined,
})
process.stdout.write('done\n')
process.exit(0)
