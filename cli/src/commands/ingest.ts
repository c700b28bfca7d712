import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { runUntilStopped } from '../processes/run-until-stopped.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper ingest`: the ingest process of a cluster. Run as many as the traffic needs. */
export function ingestCommand(): Command {
  return commandWith(
    'ingest',
    'runs the ingest process of a cluster: HTTP in, Kafka out',
    settingsOf.ingest,
    (config) =>
      runUntilStopped('ingest', config.logLevel, async (logger) =>
        (await import('../processes/ingest-main.ts')).startIngest(config, logger),
      ),
  )
}
