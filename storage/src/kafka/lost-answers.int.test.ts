import { decodeEnvelope } from '@hopper/contracts'
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, it, vi } from 'vitest'
import { broker, deviceIn, everything, freshSettings, numbered, openKafka } from './testing/kafka.fixture.ts'
import { KafkaProxy, PRODUCE, type Fate } from './testing/proxy.fixture.ts'

vi.setConfig({ testTimeout: 120_000 })

const DEVICES = 8
const LANES = 4

describe.skipIf(!broker)('lost responses of Kafka', () => {
  it('control: kafkajs alone reports a batch as stored that is not, which this adapter must prevent', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 1 })
    await using log = await openKafka(settings)
    const producer = new Kafka({
      brokers: [proxy.address],
      logLevel: logLevel.NOTHING,
      requestTimeout: 300,
      retry: { retries: 1, initialRetryTime: 10 },
    }).producer({ idempotent: true, maxInFlightRequests: 1, retry: { retries: 1, initialRetryTime: 10 } })
    await producer.connect()
    const send = (value: string): Promise<unknown> =>
      producer.send({ topic: settings.topic, messages: [{ partition: 0, value }] })
    await send('first')
    proxy.fate = (apiKey) => (apiKey === PRODUCE ? 'lose' : 'pass')
    await expect(send('stored, and the answer lost')).rejects.toThrow()
    proxy.fate = () => 'pass'
    await send('acknowledged')
    await producer.disconnect()
    const values = (await log.read(0, 0, 10)).map(({ value }) => Buffer.from(value).toString())
    expect(values).toEqual(['first', 'stored, and the answer lost'])
  })

  it('stores what it acknowledges after an append was rejected because its response was lost', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ lanes: 1, brokers: [proxy.address], timeoutMs: 2_000 }))
    await log.append([numbered('d', 1)])
    proxy.fate = (apiKey) => (apiKey === PRODUCE ? 'lose' : 'pass')
    await expect(log.append([numbered('d', 2)])).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' })
    proxy.fate = () => 'pass'
    await log.append([numbered('d', 3)])
    expect((await everything(log))[0]!.map(({ received_at }) => received_at)).toEqual([1, 2, 3])
  })

  it('retries in time when a response was lost, and stores the request once', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ lanes: 1, brokers: [proxy.address], timeoutMs: 4_000 }))
    for (const fate of ['lose', 'cut'] as const) {
      proxy.fate = (apiKey) => (apiKey === PRODUCE && proxy.lost % 2 === 0 ? fate : 'pass')
      await log.append([numbered('d', proxy.lost)])
      proxy.fate = () => 'pass'
      proxy.lost = fate === 'lose' ? 2 : 4
    }
    expect((await everything(log))[0]!.map(({ received_at }) => received_at)).toEqual([0, 2])
  })

  it("keeps acknowledged messages, positions and each device's order, despite lost responses and cuts", async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ lanes: LANES, brokers: [proxy.address], timeoutMs: 1_200 }))
    let answers = 0
    // Long runs of lost responses reject the append, single ones are retried.
    const fates: Record<number, Fate> = {
      3: 'lose',
      8: 'cut',
      14: 'lose',
      15: 'lose',
      16: 'lose',
      17: 'lose',
      18: 'lose',
      21: 'cut',
      22: 'cut',
    }
    proxy.fate = (apiKey) => (apiKey === PRODUCE ? (fates[answers++ % 25] ?? 'pass') : 'pass')

    const acknowledged: { device: string; receivedAt: number; lane: number; position: number }[] = []
    let rejected = 0
    await Promise.all(
      Array.from({ length: DEVICES }, async (_, number) => {
        const device = `d${number}`
        for (let index = 0; answers < 85; index++) {
          try {
            const [place] = await log.append([numbered(device, index)])
            acknowledged.push({ device, receivedAt: index, ...place! })
          } catch {
            rejected++
            await new Promise(setImmediate)
          }
        }
      }),
    )
    proxy.fate = () => 'pass'

    expect({ rejected: rejected > 0, lost: proxy.lost > 15 }).toEqual({ rejected: true, lost: true })
    const lanes = await everything(log)
    for (const { device, receivedAt, lane, position } of acknowledged)
      expect(lanes[lane]![position]).toMatchObject({ device_id: device, received_at: receivedAt })
    for (let number = 0; number < DEVICES; number++) {
      const selected = acknowledged.filter(({ device }) => device === `d${number}`)
      expect(selected.length).toBeGreaterThan(10)
      expect(selected.map(({ position }) => position)).toEqual(
        selected.map(({ position }) => position).toSorted((a, b) => a - b),
      )
    }
  })
})

describe.skipIf(!broker)('overlapping appends', () => {
  it('keep the order of the calls in each lane, with one request of the producer in flight', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    await using log = await openKafka(freshSettings({ lanes: LANES, brokers: [proxy.address] }))
    const devices = Array.from({ length: LANES }, (_, lane) => deviceIn(lane, LANES))
    const calls = Array.from({ length: 400 }, (_, call) =>
      devices.map((device, index) => numbered(device, call * 10 + index)),
    )
    const places = await Promise.all(
      calls.map(async (envelopes, call) => {
        // Some calls arrive while a request is in flight.
        if (call % 50 === 49) await new Promise(setImmediate)
        return log.append(envelopes)
      }),
    )
    for (const lane of devices.keys()) {
      const messages = await log.read(lane, 0, 1_000)
      expect(messages).toHaveLength(400)
      for (const [call, envelopes] of calls.entries()) {
        expect(places[call]![lane]!.lane).toBe(lane)
        expect(decodeEnvelope(messages[places[call]![lane]!.position]!.value)).toEqual(envelopes[lane])
      }
      const inTime = calls
        .map((_, call) => call)
        .filter((call) => call % 50 !== 49)
        .map((call) => places[call]![lane]!.position)
      expect(inTime).toEqual(inTime.toSorted((a, b) => a - b))
    }
    expect(proxy.producingMost).toBe(1)
  })
})
