import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, vi } from 'vitest'
import { KafkaEventLog } from './kafka.ts'
import { broker, everything, freshSettings, numbered } from './kafka.fixture.ts'
import { KafkaProxy, PRODUCE } from './proxy.fixture.ts'

vi.setConfig({ testTimeout: 60_000 })

describe.skipIf(!broker)('answers of Kafka that are lost', () => {
  it('a producer of kafkajs alone is told that a batch is stored which is not: what this adapter has to prevent', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 1 })
    await using log = await opened(settings)
    const producer = new Kafka({ brokers: [proxy.address], logLevel: logLevel.NOTHING, requestTimeout: 300, retry: { retries: 1, initialRetryTime: 10 } })
      .producer({ idempotent: true, maxInFlightRequests: 1, retry: { retries: 1, initialRetryTime: 10 } })
    await producer.connect()
    const send = (value: string): Promise<unknown> => producer.send({ topic: settings.topic, messages: [{ partition: 0, value }] })
    await send('first')
    proxy.fate = (apiKey) => (apiKey === PRODUCE ? 'lose' : 'pass')
    await expect(send('stored, and the answer lost')).rejects.toThrow()
    proxy.fate = () => 'pass'
    await send('acknowledged')
    await producer.disconnect()
    const values = (await log.log.read(0, 0, 10)).map(({ value }) => Buffer.from(value).toString())
    expect(values).toEqual(['first', 'stored, and the answer lost'])
  })

  it('stores what it acknowledges after an append was rejected whose answer was lost', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using through = await opened(freshSettings({ lanes: 1, brokers: [proxy.address], timeoutMs: 1_000 }))
    await through.log.append([numbered('d', 1)])
    proxy.fate = (apiKey) => (apiKey === PRODUCE ? 'lose' : 'pass')
    await expect(through.log.append([numbered('d', 2)])).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' })
    proxy.fate = () => 'pass'
    await through.log.append([numbered('d', 3)])
    expect((await everything(through.log))[0]!.map(({ received_at }) => received_at)).toEqual([1, 2, 3])
  })
})

async function opened(settings: ReturnType<typeof freshSettings>): Promise<AsyncDisposable & { readonly log: KafkaEventLog }> {
  const log = await new KafkaEventLog(settings).connect()
  return { log, [Symbol.asyncDispose]: () => log.close() }
}
