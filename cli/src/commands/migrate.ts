import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { settingsOf } from '../config/settings.ts'

/**
 * `hopper migrate`: makes a cluster's engines ready for this version, and says how to log in. Safe to run again, and
 * from two processes.
 */
export function migrateCommand(): Command {
  return commandWith(
    'migrate',
    'makes the keyspace, the topic and the first organization of a cluster; safe to run again',
    settingsOf.migrate,
    async (config) => {
      const { migrateCluster } = await import('../processes/migrate-main.ts')
      process.stdout.write(await migrateCluster(config))
      // The drivers' connections may linger.
      process.exit(0)
    },
  )
}
