import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { settingsOf } from '../config/settings.ts'

/**
 * `hopper migrate`: prepares a cluster's engines for this version, and prints how to log in. Idempotent, and safe to
 * run from two processes.
 */
export function migrateCommand(): Command {
  return commandWith(
    'migrate',
    'creates or updates the keyspace, the topics and the first organization of a cluster; safe to run again',
    settingsOf.migrate,
    async (config) => {
      const { migrateCluster } = await import('../processes/migrate-main.ts')
      process.stdout.write(await migrateCluster(config))
      // Open connections of the drivers would keep the process alive.
      process.exit(0)
    },
  )
}
