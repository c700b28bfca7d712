import { randomBytes } from 'node:crypto'
import { beforeAll, describe, inject, vi } from 'vitest'
import '../contract/engines.ts'
import { archiveContract } from '../contract/archive.contract.ts'
import { eventLogContract } from '../contract/event-log.contract.ts'
import { lanesContract } from '../contract/lanes.contract.ts'
import { registryContract } from '../contract/registry.contract.ts'
import { tablesContract } from '../contract/tables.contract.ts'
import { KafkaEventLog, kafkaDefaults } from '../kafka/kafka.ts'
import type { Storage } from '../ports/storage.ts'
import { cassandraDefaults, migrate, openCassandra, type CassandraSettings } from './cassandra.ts'

// A Cassandra that has just started is slow for its first minute.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const LANES = 4
const engines = inject('engines')
const name = `hopper_${randomBytes(6).toString('hex')}`

/** Kafka and Cassandra together, in a keyspace and a topic of this file. */
async function open(): Promise<Storage> {
  const log = await new KafkaEventLog({ ...kafkaDefaults, brokers: [engines!.kafka], lanes: LANES, topic: name, group: name }).connect()
  const rest = await openCassandra(settings(), LANES)
  return {
    ...rest,
    log,
    health: async () => [await log.health(), ...(await rest.health())],
    close: async () => {
      await log.close()
      await rest.close()
    },
  }
}

function settings(): CassandraSettings {
  return { ...cassandraDefaults, contactPoints: [engines!.cassandra], dataCenter: engines!.dataCenter, keyspace: name, leaseMs: 30_000, unknownOutcomeMs: 500 }
}

describe.skipIf(!engines)('Kafka and Cassandra', () => {
  beforeAll(async () => void (await migrate(settings())))

  eventLogContract('Kafka', open)
  tablesContract('Cassandra', open)
  lanesContract('Cassandra', open)
  registryContract('Cassandra', open)
  archiveContract('Cassandra', async () => {
    const { archive, lanes, close } = await openCassandra(settings(), LANES)
    return { archive: archive!, lanes, close }
  })
})
