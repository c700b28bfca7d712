import type { Engines } from '@hopper/storage/contract/engines'

/** Returns the settings of an installation that has the engines' topic and keyspace `name` to itself. */
export function clusterSettings(engines: Engines, name: string, lanes: number): Record<string, string> {
  return {
    lanes: String(lanes),
    kafkaBrokers: engines.kafka,
    kafkaTopic: name,
    kafkaGroup: name,
    cassandraContactPoints: engines.cassandra,
    cassandraDc: engines.dataCenter,
    cassandraKeyspace: name,
    leaseMs: '3000',
    unknownOutcomeMs: '500',
  }
}
