import type { Command } from 'commander'
import { commandWith } from './command-with.ts'
import { runUntilStopped } from '../processes/run-until-stopped.ts'
import { settingsOf } from '../config/settings.ts'

/** `hopper aggregator`: counts the lanes that Kafka assigns to it. Several aggregators share the lanes. */
export function aggregatorCommand(): Command {
  return commandWith(
    'aggregator',
    'runs an aggregator of a cluster: Kafka in, Cassandra out',
    settingsOf.aggregator,
    (config) =>
      runUntilStopped('aggregator', config.logLevel, async (logger) =>
        (await import('../processes/aggregator-main.ts')).startAggregator(config, logger),
      ),
  )
}
