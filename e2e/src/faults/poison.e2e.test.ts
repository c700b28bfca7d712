import { Kafka, logLevel } from 'kafkajs'
import { afterAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from '../installations/cluster.ts'
import { groundTruth } from '../traffic/ground-truth.ts'
import { whenCounted } from '../installations/installation.ts'
import { datesAround, readTables } from '../traffic/stored-rows.ts'
import { apps, provision, timezone } from './apps.fixture.ts'
import { runTrial, expectExact, missingRows } from './trial.fixture.ts'
import { Sending } from './sending.fixture.ts'

const engines = inject('engines')
const LANES = 8
const ROUNDS = 3
/** far longer than counting the traffic takes */
const STALLED_MS = 10_000
let installation: Cluster
afterAll(() => installation?.dispose())

const context = { device: 'desktop', browser: '', os: '' }
const shaped = { version: 1, app: apps.tested.id, device_id: 'd', received_at: 1, context }
/**
 * Messages that Hopper's ingest never writes: empty, not JSON, not an envelope, another version, another app, events
 * that cannot be folded.
 */
const poisons: readonly (Buffer | null)[] = [
  null,
  Buffer.alloc(0),
  Buffer.from([0, 255, 254, 1, 2, 3]),
  Buffer.from('{"version":1,"app":'),
  Buffer.from('null'),
  Buffer.from('[]'),
  Buffer.from(JSON.stringify({ ...shaped, version: 2, events: [] })),
  Buffer.from(JSON.stringify({ ...shaped, app: 'nobody', events: [] })),
  Buffer.from(JSON.stringify({ ...shaped, events: [null] })),
  Buffer.from(JSON.stringify({ ...shaped, events: [{ type: 'click', event_id: 'x', timestamp: 'noon' }] })),
  Buffer.from('{"__proto__":{"version":1},"constructor":{}}'),
  Buffer.alloc(900_000, 123),
]

async function poison(brokers: string, topic: string): Promise<void> {
  const producer = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  try {
    for (let lane = 0; lane < LANES; lane++)
      await producer.send({ topic, messages: poisons.map((value) => ({ value, partition: lane })) })
  } finally {
    await producer.disconnect()
  }
}

describe.skipIf(!engines)('a poison message', () => {
  it('becomes a dead letter with its reason, and never stops a lane', async () => {
    installation = await cluster(engines!, { provision, env: { HOPPER_LOG_LEVEL: 'error' } })
    const result = await runTrial({ installation, app: apps.tested, seed: 1 }, async (sending) => {
      for (let round = 0; round < ROUNDS; round++) {
        await sending.more(100)
        await poison(engines!.kafka, installation.env.HOPPER_KAFKA_TOPIC!)
      }
      await sending.more(100)
    })
    expectExact(result)
    expect(result.deadLetters).toBe(ROUNDS * LANES * poisons.length)
  }, 120_000)

  it('control: without dead letters its lane stops, and later messages are not counted', async () => {
    const brittle = await cluster(engines!, {
      provision,
      env: { HOPPER_LOG_LEVEL: 'fatal', HOPPER_UNSAFE_NO_DEAD_LETTERS: '1' },
    })
    try {
      await brittle.start()
      const sending = new Sending({ ingestUrl: brittle.ingestUrl, key: apps.control.write, perSecond: 40, seed: 2 })
      await sending.more(50)
      await poison(engines!.kafka, brittle.env.HOPPER_KAFKA_TOPIC!)
      await sending.more(50)
      const truth = groundTruth(await sending.finish(), timezone, sending.now)
      await expect(whenCounted(brittle, apps.control.read, STALLED_MS)).rejects.toThrow('condition not met')
      const storage = await brittle.openStorage()
      try {
        expect(
          missingRows({ truth, found: await readTables(storage.reader, apps.control.id, datesAround(sending.now)) }),
        ).toBeGreaterThan(0)
      } finally {
        await storage.close()
      }
    } finally {
      await brittle.dispose()
    }
  }, 120_000)
})
