import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { greet } from '../processes/greeting.ts'
import { runUntilStopped } from '../processes/run-until-stopped.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper start`: ingest, aggregator, API and dashboard in one process over one directory. */
export function startCommand(): Command {
  return commandWith('start', 'runs Hopper in one process over one directory', settingsOf.start, (config) =>
    runUntilStopped('hopper', config.logLevel, async (logger) => {
      // Imported lazily, so that the other subcommands do not load all of Hopper.
      const { startStandalone } = await import('../processes/standalone-main.ts')
      const { welcome, ...running } = await startStandalone(config, logger)
      return { greeting: greet(welcome), ...running }
    }),
  )
}
