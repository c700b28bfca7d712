import { Client } from 'cassandra-driver'
import { afterAll, beforeAll } from 'vitest'
import { migrate } from '../cassandra.ts'
import type { OwnKeyspace } from './own-keyspace.fixture.ts'
import { clientOptions } from '../client/settings.ts'

/**
 * Creates the keyspace before the tests of a suite and drops it after them. Returns a function that gives its client.
 */
export function connectedTo({ settings, drop }: OwnKeyspace): () => Client {
  let client: Client
  beforeAll(async () => {
    await migrate(settings)
    client = new Client(clientOptions(settings, settings.keyspace))
    await client.connect()
  })
  afterAll(async () => {
    await client.shutdown()
    await drop()
  })
  return () => client
}
