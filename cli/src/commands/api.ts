import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { runUntilStopped } from '../processes/run-until-stopped.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper api`: the dashboard and the API of a cluster. */
export function apiCommand(): Command {
  return commandWith('api', 'runs the API and the dashboard of a cluster', settingsOf.api, (config) =>
    runUntilStopped('api', config.logLevel, async (logger) =>
      (await import('../processes/api-main.ts')).startApi(config, logger),
    ),
  )
}
