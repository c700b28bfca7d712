import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, vi } from 'vitest'
import { ExternalTopic, type TopicMessage } from './external-topic.ts'
import type { KafkaSettings } from './settings.ts'
import { createExternalTopic } from './kafka.ts'
import { broker, freshSettings } from './testing/kafka.fixture.ts'
import { KafkaProxy, unknownAtFirst } from './testing/proxy.fixture.ts'

vi.setConfig({ testTimeout: 90_000 })

const SOON = { timeout: 60_000, interval: 20 }
const logger = { info: () => undefined, warn: () => undefined }

/** Makes the topic with two partitions, and writes texts with their keys to it. */
async function produce({ brokers, topic }: KafkaSettings, texts: readonly string[]): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const [admin, producer] = [kafka.admin(), kafka.producer()]
  await Promise.all([admin.connect(), producer.connect()])
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
  await producer.send({ topic, acks: -1, messages: texts.map((value) => ({ key: `key of ${value}`, value })) })
  await Promise.all([admin.disconnect(), producer.disconnect()])
}

class Taking {
  readonly texts: string[] = []
  readonly messages: TopicMessage[] = []
  failures = 0

  readonly take = async (messages: readonly TopicMessage[]): Promise<void> => {
    if (this.failures > 0) {
      this.failures--
      throw new Error('the log is unavailable')
    }
    this.messages.push(...messages)
    this.texts.push(...messages.map(({ value }) => Buffer.from(value).toString()))
  }
}

describe.skipIf(!broker)('a topic that other systems write', () => {
  it('is read where it exists, from its beginning, and each message is retried until it succeeds', async () => {
    const settings = freshSettings({ sessionTimeoutMs: 6_000 })
    const texts = Array.from({ length: 50 }, (_, n) => `text ${n}`)
    await produce(settings, texts)
    const taking = new Taking()
    taking.failures = 2
    const topic = new ExternalTopic(settings, taking.take, logger)
    topic.start()
    await vi.waitFor(() => expect(new Set(taking.texts)).toEqual(new Set(texts)), SOON)
    await topic.close()
    const { key, timestamp, value } = taking.messages[0]!
    expect(key).toBe(`key of ${Buffer.from(value).toString()}`)
    expect(Math.abs(timestamp - Date.now())).toBeLessThan(600_000)
  })

  it('is continued after the committed messages, by any member of the group', async () => {
    const settings = freshSettings({ sessionTimeoutMs: 6_000 })
    const [first, second] = [new Taking(), new Taking()]
    await produce(settings, ['a', 'b', 'c'])
    const one = new ExternalTopic(settings, first.take, logger)
    one.start()
    await vi.waitFor(() => expect(first.texts.toSorted()).toEqual(['a', 'b', 'c']), SOON)
    await one.close()
    await produce(settings, ['d', 'e'])
    const other = new ExternalTopic(settings, second.take, logger)
    other.start()
    await vi.waitFor(() => expect(second.texts.toSorted()).toEqual(['d', 'e']), SOON)
    await other.close()
  })

  it('is created with a partition for each lane by one of concurrent callers, and is not changed later', async () => {
    const settings = freshSettings({ lanes: 3 })
    const states = await Promise.all([createExternalTopic(settings), createExternalTopic(settings)])
    expect(states.toSorted()).toEqual(['created', 'exists'])
    expect(await createExternalTopic({ ...settings, lanes: 5 })).toBe('exists')
    const kafka = new Kafka({ brokers: [...settings.brokers], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.fetchTopicOffsets(settings.topic)).toHaveLength(3)
    await admin.disconnect()
  })

  it('counts as created although the broker does not know it yet', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ brokers: [proxy.address] })
    const responses = { left: 5 }
    proxy.fate = unknownAtFirst(settings.topic, responses)
    expect(await createExternalTopic(settings)).toBe('created')
    expect(responses.left).toBe(0)
  })

  it('is not created by its reader, whose closing does not wait for it', async () => {
    const settings = freshSettings()
    const topic = new ExternalTopic(settings, new Taking().take, logger)
    topic.start()
    const kafka = new Kafka({ brokers: [...settings.brokers], logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.listTopics()).not.toContain(settings.topic)
    await admin.disconnect()
    await topic.close()
  })
})
