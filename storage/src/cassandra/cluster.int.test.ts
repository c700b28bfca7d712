import { afterAll, beforeAll, describe, inject, vi } from 'vitest'
import '../contract/engines.ts'
import { archiveContract } from '../contract/archive.contract.ts'
import { eventLogContract } from '../contract/event-log.contract.ts'
import { lanesContract } from '../contract/lanes.contract.ts'
import { registryContract } from '../contract/registry.contract.ts'
import { expiryContract } from '../contract/expiry.contract.ts'
import { removalsContract } from '../contract/removals.contract.ts'
import { secretsContract } from '../contract/secrets.contract.ts'
import { tablesContract } from '../contract/tables.contract.ts'
import { KafkaEventLog, kafkaDefaults } from '../kafka/kafka.ts'
import type { Storage } from '../ports/storage.ts'
import { withLog } from '../with-log.ts'
import { migrate, openCassandra } from './cassandra.ts'
import { ownKeyspace } from './testing/own-keyspace.fixture.ts'

// A Cassandra that has just started is slow for its first minute.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const LANES = 4
const engines = inject('engines')
const { settings, drop } = ownKeyspace(engines)
const name = settings.keyspace

/** Opens Kafka and Cassandra together, in a keyspace and a topic of this file. */
async function open(): Promise<Storage> {
  const log = await new KafkaEventLog({
    ...kafkaDefaults,
    brokers: [engines!.kafka],
    lanes: LANES,
    topic: name,
    group: name,
  }).connect()
  const rest = await openCassandra(settings, LANES)
  return withLog(rest, log)
}

describe.skipIf(!engines)('Kafka and Cassandra', () => {
  beforeAll(async () => void (await migrate(settings)))
  afterAll(drop)

  eventLogContract('Kafka', open)
  tablesContract('Cassandra', open)
  removalsContract('Cassandra', open)
  expiryContract('Cassandra', open)
  lanesContract('Cassandra', open)
  registryContract('Cassandra', open)
  secretsContract('Cassandra', () => openCassandra(settings, LANES))
  archiveContract('Cassandra', async () => {
    const { archive, lanes, close } = await openCassandra(settings, LANES)
    return { archive: archive!, lanes, close }
  })
})
