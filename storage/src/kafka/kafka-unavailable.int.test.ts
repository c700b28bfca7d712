import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, vi } from 'vitest'
import { broker, disposable, everything, freshSettings, numbered, openKafka } from './testing/kafka.fixture.ts'
import { KafkaEventLog } from './kafka.ts'
import { KafkaProxy, notLeaderAtFirst, unknownAtFirst } from './testing/proxy.fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

const TIMEOUT_MS = 2_500
/** time that a busy machine may add to a bound */
const SLACK_MS = 2_500

const unavailable = { code: 'HOP_LOG_UNAVAILABLE' }

async function boundedRejection(call: () => Promise<unknown>, withinMs = TIMEOUT_MS + SLACK_MS): Promise<void> {
  const started = performance.now()
  await expect(call()).rejects.toMatchObject(unavailable)
  expect(performance.now() - started).toBeLessThan(withinMs)
}

describe.skipIf(!broker)('Kafka unavailable', () => {
  it('at the start: reports it in bounded time, and serves by itself when Kafka is back', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await proxy.cutOff()
    await using log = disposable(new KafkaEventLog(freshSettings({ brokers: [proxy.address], timeoutMs: TIMEOUT_MS })))
    await boundedRejection(() => log.connect())
    await boundedRejection(() => log.append([numbered('d', 1)]))
    await boundedRejection(() => log.ends())
    await boundedRejection(() =>
      log.subscribe({ assigned: async () => 0, batch: async () => undefined, revoked: async () => undefined }),
    )
    expect(await log.health()).toMatchObject({ name: 'kafka', healthy: false })
    await proxy.back()
    await vi.waitFor(() => log.append([numbered('d', 2)]), 10_000)
    expect(await log.health()).toEqual({ name: 'kafka', healthy: true })
    expect((await everything(log)).flat().map(({ received_at }) => received_at)).toEqual([2])
  })

  it('later: rejects appends in bounded time, most of them immediately, and never acknowledges lost ones', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ brokers: [proxy.address], timeoutMs: TIMEOUT_MS }))
    await log.append([numbered('d', 1)])
    await proxy.cutOff()
    await Promise.all([2, 3, 4].map((index) => boundedRejection(() => log.append([numbered('d', index)]))))
    await expect
      .poll(async () => {
        const started = performance.now()
        await expect(log.append([numbered('d', 5)])).rejects.toMatchObject(unavailable)
        return performance.now() - started
      })
      .toBeLessThan(20)
    await proxy.back()
    await vi.waitFor(() => log.append([numbered('d', 6)]), 10_000)
    expect((await everything(log)).flat().map(({ received_at }) => received_at)).toEqual([1, 6])
  })

  it('silent, connections open: abandons a request in bounded time, with everything queued behind it', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ brokers: [proxy.address], timeoutMs: TIMEOUT_MS }))
    await log.append([numbered('d', 1)])
    proxy.fate = () => 'lose'
    const first = boundedRejection(() => log.append([numbered('d', 2)]))
    await vi.waitUntil(() => proxy.lost > 0)
    await Promise.all([first, boundedRejection(() => log.append([numbered('d', 3)]))])
    await boundedRejection(() => log.ends())
    proxy.fate = () => 'pass'
    await vi.waitFor(() => log.append([numbered('d', 4)]), 10_000)
    const stored = (await everything(log)).flat().map(({ received_at }) => received_at)
    expect(stored.at(-1)).toBe(4)
    expect(stored).not.toContain(3)
  })

  it('refuses appends beyond the bound of the queue, and accepts more once the queue is empty', async () => {
    await using log = await openKafka(freshSettings({ queueBytesMax: 1_000 }))
    const fits = Array.from({ length: 3 }, (_, index) => numbered('d', index))
    const first = log.append(fits)
    await expect(log.append([...fits, ...fits, ...fits, ...fits])).rejects.toMatchObject(unavailable)
    await first
    expect(await log.append(fits)).toHaveLength(3)
  })
})

describe.skipIf(!broker)('the topic', () => {
  it('is waited for after it was created, while its broker does not know it yet', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 3, brokers: [proxy.address] })
    const responses = { left: 5 }
    proxy.fate = unknownAtFirst(settings.topic, responses)
    await using log = await openKafka(settings)
    expect(await log.ends()).toEqual([0, 0, 0])
    await log.append([numbered('d', 1)])
    expect(responses.left).toBe(0)
  })

  it('is waited for while its broker does not lead its partitions, at its start and later', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 3, brokers: [proxy.address] })
    await using log = await openKafka(settings)
    for (const left of [3, 5]) {
      const responses = { left }
      proxy.fate = notLeaderAtFirst(settings.topic, responses)
      expect(await log.ends()).toEqual([0, 0, 0])
      expect(responses.left).toBe(0)
    }
  })

  it('is created with one partition per lane and unlimited retention; another number is refused by name', async () => {
    const settings = freshSettings({ lanes: 3 })
    await using log = await openKafka(settings)
    expect(await log.ends()).toEqual([0, 0, 0])
    await using other = disposable(new KafkaEventLog({ ...settings, lanes: 4 }))
    await expect(other.connect()).rejects.toMatchObject({
      code: 'HOP_CONFIG',
      message: expect.stringMatching(`Topic ${settings.topic} has 3 partitions, HOPPER_LANES says 4`),
    })
    await expect(other.append([numbered('d', 1)])).rejects.toMatchObject(unavailable)
    const admin = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: settings.topic, configNames: ['retention.ms'] }],
    })
    await admin.disconnect()
    expect(resources[0]!.configEntries[0]!.configValue).toBe('-1')
  })
})
