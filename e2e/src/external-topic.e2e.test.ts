import type { PageViews, Status } from '@hopper/contracts'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { cluster, type Cluster } from './installations/cluster.ts'
import { getJson, whenCounted } from './installations/installation.ts'
import { until } from './installations/until.ts'

const engines = inject('engines')
const read = 'hr_tills_0123456789abcdef'
const app = { id: 'shop', name: 'Shop', write_key: 'hw_tills_0123456789abcdef', read_key: read }
const provision = { organizations: [{ id: 'o', name: 'O', apps: [app] }] }
const READ_TIMEOUT_MS = 60_000

describe.skipIf(!engines)('the topic that other systems write', () => {
  let installation: Cluster
  let topic: string
  beforeAll(async () => {
    installation = await cluster(engines!, { provision })
    topic = installation.env['HOPPER_EXTERNAL_TOPIC']!
    await installation.start()
  }, 180_000)
  afterAll(() => installation?.dispose(), 60_000)

  it('is there after migrate, with a partition for each lane', async () => {
    const kafka = new Kafka({ brokers: [engines!.kafka], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.fetchTopicOffsets(topic)).toHaveLength(Number(installation.env['HOPPER_LANES']))
    await admin.disconnect()
    expect(installation.output()).toContain(`Created the topic ${topic}`)
    expect(await installation.run(['migrate'])).not.toContain(topic)
  }, 60_000)

  it('is counted within a minute, each event once, with bad records among the dead letters', async () => {
    const event = (index: number): object => ({
      type: 'url_change',
      from: '',
      to: `https://till.example/${index % 2}`,
      elapsed_time: 0,
      event_id: `sale ${index}`,
      device_id: `till ${index}`,
      timestamp: Date.now() - index,
    })
    const texts = [
      ...Array.from({ length: 20 }, (_, index) => JSON.stringify({ app: app.id, ...event(index) })),
      JSON.stringify([5, 6].map((index) => ({ app: app.id, ...event(index) }))),
      'no JSON',
      JSON.stringify({ app: 'unknown', ...event(99) }),
    ]
    await produce(texts)
    const views = async (): Promise<Map<string, number>> => {
      const { rows } = await getJson<PageViews>(installation, `/api/v1/apps/${app.id}/pages/views`, read)
      return new Map(rows.map((row) => [row.url, row.views]))
    }
    const expected = new Map([0, 1].map((page) => [`till.example/${page}`, 10]))
    await until(async () => [...(await views()).values()].reduce((sum, each) => sum + each, 0) >= 20, READ_TIMEOUT_MS)
    const letters = async (): Promise<string> => installation.run(['dead-letters', 'list', '--json', '--values'])
    await until(async () => (await letters()).includes('unknown_app'), READ_TIMEOUT_MS)
    await whenCounted(installation, read)
    expect(await views()).toEqual(expected)
    expect(await letters()).toContain('not_an_object')
    const { fates } = await getJson<Status>(installation, '/api/v1/status', read)
    const found = (fate: string): number =>
      fates.filter((row) => row.fate === fate).reduce((sum, { events }) => sum + events, 0)
    expect([found('accepted'), found('duplicate')]).toEqual([20, 2])
  }, 180_000)

  async function produce(texts: readonly string[]): Promise<void> {
    const kafka = new Kafka({ brokers: [engines!.kafka], logLevel: logLevel.NOTHING })
    const producer = kafka.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    await producer.send({ topic, acks: -1, messages: texts.map((value) => ({ value })) })
    await producer.disconnect()
  }
})
