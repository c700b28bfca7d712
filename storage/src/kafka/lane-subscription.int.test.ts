import { randomBytes } from 'node:crypto'
import { decodeEnvelope } from '@hopper/contracts'
import { Kafka, logLevel } from 'kafkajs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { LaneConsumer, LogMessage, Subscription } from '../ports/event-log.ts'
import { broker, deviceIn, disposable, freshSettings, numbered, openKafka } from './testing/kafka.fixture.ts'
import { KafkaEventLog } from './kafka.ts'
import { FETCH, FIND_COORDINATOR, KafkaProxy } from './testing/proxy.fixture.ts'
import { Members } from './testing/members.fixture.ts'
import { repetitions } from '../contract/repetitions.ts'

vi.setConfig({ testTimeout: 90_000 })

const SOON = { timeout: 40_000, interval: 20 }

describe.skipIf(!broker)('members of the group', () => {
  it('that join and leave in a loop never share a lane, and everything is delivered exactly once', async () => {
    const settings = freshSettings({ lanes: 6, sessionTimeoutMs: 6_000 })
    await using log = await openKafka(settings)
    const members = new Members(settings.lanes)
    const devices = Array.from({ length: 12 }, (_, index) => `d${index}`)
    let sent = 0
    const send = async (): Promise<void> => void (await log.append(devices.map((device) => numbered(device, sent++))))

    const logs = Array.from({ length: 3 }, () => disposable(new KafkaEventLog(settings)))
    const lasting = await logs[0]!.subscribe(members.join())
    for (let round = 0; round < repetitions(4, 2); round++) {
      await send()
      const others = await Promise.all([logs[1]!, logs[2]!].map((each) => each.subscribe(members.join())))
      await send()
      await Promise.all(others.map((each) => each.close()))
    }
    await send()
    await vi.waitFor(() => expect(members.delivered).toBe(sent), SOON)
    await lasting.close()
    for (const each of logs) await each.close()

    expect(members.faults).toEqual([])
    for (const calls of members.calls.values()) expect(calls.join('')).toMatch(/^(ab*r)*$/)
    expect([...members.numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, number) => number))
    for (const device of devices)
      expect(members.numbersOf(device)).toEqual(members.numbersOf(device).toSorted((a, b) => a - b))
  })

  it('that get a lane back before they have finished giving it away are assigned it afterwards', async () => {
    const settings = freshSettings({ lanes: 2, sessionTimeoutMs: 6_000 })
    await using one = await openKafka(settings)
    await using two = await openKafka(settings)
    const calls: string[] = []
    let finish = (): void => undefined
    const slow =
      (call: string) =>
      async (lane: number): Promise<number> => {
        calls.push(`${lane} ${call}`)
        if (call === 'revoked' && calls.filter((each) => each.endsWith(call)).length === 1)
          await new Promise<void>((resolve) => (finish = resolve))
        calls.push(`${lane} ${call} done`)
        return 0
      }
    const first = await one.subscribe({
      assigned: slow('assigned'),
      batch: async () => undefined,
      revoked: async (lane) => void (await slow('revoked')(lane)),
    })
    await vi.waitFor(() => expect(calls).toContain('1 assigned done'), SOON)
    const second = await two.subscribe({
      assigned: async () => 0,
      batch: async () => undefined,
      revoked: async () => undefined,
    })
    await vi.waitFor(() => expect(calls.at(-1)).toMatch(/revoked$/), SOON)
    const lane = calls.at(-1)![0]
    await second.close()
    const admin = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    await vi.waitFor(
      async () =>
        expect((await admin.describeGroups([settings.group])).groups[0]).toMatchObject({
          state: 'Stable',
          members: { length: 1 },
        }),
      SOON,
    )
    await admin.disconnect()
    finish()
    await vi.waitFor(() => expect(calls.at(-1)).toBe(`${lane} assigned done`), SOON)
    await first.close()
    const selected = calls.filter((call) => call[0] === lane).map((call) => call.slice(2))
    expect(selected).toEqual([
      'assigned',
      'assigned done',
      'revoked',
      'revoked done',
      'assigned',
      'assigned done',
      'revoked',
      'revoked done',
    ])
  })

  it('share the lanes, and one that leaves gives its lanes to the other', async () => {
    const settings = freshSettings({ lanes: 4, sessionTimeoutMs: 6_000 })
    const members = new Members(settings.lanes)
    await using one = await openKafka(settings)
    await using two = await openKafka(settings)
    const first = await one.subscribe(members.join())
    await vi.waitFor(() => expect(members.held()).toEqual([4]), SOON)
    const second = await two.subscribe(members.join())
    await vi.waitFor(() => expect(members.held()).toEqual([2, 2]), SOON)
    await first.close()
    await vi.waitFor(() => expect(members.held()).toEqual([0, 4]), SOON)
    await second.close()
    expect(members.faults).toEqual([])
  })

  it('are refused by name when Kafka does not accept their session timeout', async () => {
    await using log = await openKafka(freshSettings({ sessionTimeoutMs: 100_000_000 }))
    await expect(log.subscribe(new Members(4).join())).rejects.toMatchObject({
      code: 'HOP_CONFIG',
      message: expect.stringMatching(/100000000 ms.*group.max.session.timeout.ms/),
    })
  })

  it('recover from an outage longer than a session, releasing their lanes, and close in bounded time', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 2, sessionTimeoutMs: 6_000, timeoutMs: 2_000 })
    const members = new Members(settings.lanes)
    await using near = await openKafka({ ...settings, brokers: [proxy.address] })
    await using log = await openKafka(settings)
    const subscription = await near.subscribe(members.join())
    await log.append([numbered('d', 0)])
    await vi.waitFor(() => expect(members.delivered).toBe(1), SOON)
    await proxy.cutOff()
    await vi.waitFor(() => expect(members.held()).toEqual([0]), SOON)
    expect(await near.health()).toMatchObject({ healthy: false })
    await log.append([numbered('d', 1)])
    await proxy.back()
    await vi.waitFor(() => expect(members.delivered).toBe(2), SOON)
    expect(await near.health()).toEqual({ name: 'kafka', healthy: true })
    await proxy.cutOff()
    const started = performance.now()
    await subscription.close()
    expect(performance.now() - started).toBeLessThan(8_000)
    expect(members.faults).toEqual([])
  })
})

describe.skipIf(!broker)('a broker that has just started', () => {
  it('is waited for while its coordinators are loading', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 1, brokers: [proxy.address] })
    const members = new Members(settings.lanes)
    await using log = await openKafka(settings)
    await log.append([numbered('d', 0)])
    // GROUP_LOAD_IN_PROGRESS, then GROUP_COORDINATOR_NOT_AVAILABLE: the error follows the throttle time.
    const errors = [14, 14, 15, 15]
    proxy.fate = (apiKey, answer) => {
      if (apiKey === FIND_COORDINATOR && errors.length > 0) answer.writeInt16BE(errors.shift()!, 12)
      return 'pass'
    }
    const subscription = await log.subscribe(members.join())
    await vi.waitFor(() => expect(members.delivered).toBe(1), SOON)
    await subscription.close()
    expect(errors).toEqual([])
    expect(members.faults).toEqual([])
  })
})

describe.skipIf(!broker)('a lane', () => {
  let subscription: Subscription | undefined
  afterEach(async () => {
    await subscription?.close()
    subscription = undefined
  })

  /** Follows one lane from a position on. */
  async function follow(
    log: KafkaEventLog,
    from: number,
    batch: (messages: readonly LogMessage[], lane: number) => Promise<void>,
  ): Promise<void> {
    const consumer: LaneConsumer = {
      assigned: async () => from,
      batch: (lane, messages) => batch(messages, lane),
      revoked: async () => undefined,
    }
    subscription = await log.subscribe(consumer)
  }

  /** Deletes the messages of lane 0 before a position, as retention does. */
  async function deleteBefore(topic: string, position: number): Promise<void> {
    const admin = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    // kafkajs deletes only in topics that it knows.
    await admin.fetchTopicOffsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(position) }] })
    await admin.disconnect()
  }

  it('is read from the position that the consumer returns; its lag is the distance from there to the end', async () => {
    await using log = await openKafka(freshSettings({ lanes: 1 }))
    await log.append(Array.from({ length: 1_500 }, (_, index) => numbered('d', index)))
    const got: number[] = []
    await follow(log, 700, async (messages) => void got.push(...messages.map(({ position }) => position)))
    await vi.waitFor(() => expect(got).toHaveLength(800), SOON)
    expect(got).toEqual(Array.from({ length: 800 }, (_, index) => 700 + index))
    await log.append([numbered('d', 1_500)])
    expect((await log.ends())[0]! - 1_500).toBe(1)
    await vi.waitFor(() => expect(got.at(-1)).toBe(1_500), SOON)
  })

  it('whose position no longer exists is not read until its consumer returns an existing position', async () => {
    const settings = freshSettings({ lanes: 2 })
    await using log = await openKafka(settings)
    const [device, other] = [deviceIn(0, 2), deviceIn(1, 2)]
    await log.append(Array.from({ length: 20 }, (_, index) => numbered(device, index)))
    await deleteBefore(settings.topic, 12)
    const calls: string[] = []
    const got: number[] = []
    let wanted = 5
    const subscription = await log.subscribe({
      assigned: async (lane) => (lane === 0 ? (calls.push('a'), wanted) : 0),
      batch: async (lane, messages) => void (lane === 0 && got.push(...messages.map(({ position }) => position))),
      revoked: async (lane) => void (lane === 0 && calls.push('r')),
    })
    await vi.waitFor(() => expect(calls.join('')).toMatch(/^arara/), SOON)
    expect(got).toEqual([])
    wanted = 12
    await vi.waitFor(() => expect(got).toEqual([12, 13, 14, 15, 16, 17, 18, 19]), SOON)
    await log.append([numbered(device, 20), numbered(other, 0)])
    await vi.waitFor(() => expect(got.at(-1)).toBe(20), SOON)
    expect((await log.read(0, 3, 3)).map(({ position }) => position)).toEqual([12, 13, 14])
    await subscription.close()
    expect(calls.join('')).toMatch(/^(ar)+$/)
  })

  it.each([
    ['that was deleted before it was read', 5, 20],
    ['that ends before the position wanted', 40, 0],
  ])('%s makes its consumer return a position again, though nothing arrives', async (_name, wanted, deleted) => {
    const settings = freshSettings({ lanes: 1 })
    await using log = await openKafka(settings)
    await log.append(Array.from({ length: 20 }, (_, index) => numbered('d', index)))
    if (deleted > 0) await deleteBefore(settings.topic, deleted)
    let assignedCalls = 0
    const got: number[] = []
    const subscription = await log.subscribe({
      assigned: async () => (assignedCalls++ < 2 ? wanted : 20),
      batch: async (_lane, messages) => void got.push(...messages.map(({ position }) => position)),
      revoked: async () => undefined,
    })
    await vi.waitFor(() => expect(assignedCalls).toBe(3), SOON)
    await log.append([numbered('d', 20)])
    await vi.waitFor(() => expect(got).toEqual([20]), SOON)
    await subscription.close()
  })

  it('is read over a gap in its positions', async () => {
    const settings = freshSettings({ lanes: 1 })
    await using log = await openKafka(settings)
    await log.append([numbered('d', 0)])
    // A transaction ends with a marker, which takes a position and is not a message.
    const producer = new Kafka({ brokers: [broker!], logLevel: logLevel.NOTHING }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      transactionalId: settings.topic,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic: settings.topic, messages: [{ partition: 0, value: 'x' }] })
    await transaction.commit()
    await producer.disconnect()
    await vi.waitFor(async () => expect(await log.ends()).toEqual([3]), SOON)
    await log.append([numbered('d', 1)])
    const got: number[] = []
    await follow(log, 0, async (messages) => void got.push(...messages.map(({ position }) => position)))
    await vi.waitFor(() => expect(got).toEqual([0, 1, 3]), SOON)
    await subscription!.close()
    got.length = 0
    await follow(log, 2, async (messages) => void got.push(...messages.map(({ position }) => position)))
    await vi.waitFor(() => expect(got).toEqual([3]), SOON)
  })

  it('with an unfinished batch is not fetched further, blocks no other lane, and continues where it was', async () => {
    await using proxy = await KafkaProxy.before(broker!)
    const settings = freshSettings({ lanes: 2, sessionTimeoutMs: 6_000 })
    await using log = await openKafka({ ...settings, brokers: [proxy.address] })
    const [stuck, free] = [deviceIn(0, 2), deviceIn(1, 2)]
    let release = (): void => undefined
    const stop = new Promise<void>((resolve) => (release = resolve))
    let hasStarted = false
    const got: number[][] = [[], []]
    await follow(log, 0, async (messages, lane) => {
      if (lane === 0) {
        hasStarted = true
        await stop
      }
      got[lane]!.push(...messages.map(({ value }) => decodeEnvelope(value).received_at))
    })
    await log.append([numbered(stuck, 0)])
    await vi.waitFor(() => expect(hasStarted).toBe(true), SOON)

    let fetched = 0
    proxy.fate = (apiKey) => (apiKey === FETCH && fetched++, 'pass')
    // Incompressible content.
    const large = (): string => randomBytes(37_500).toString('base64')
    for (let index = 1; index <= 100; index++)
      await log.append([{ ...numbered(stuck, index), context: { device: 'unknown', browser: large(), os: '' } }])
    const before = proxy.bytesAnswered
    const rounds = 30
    for (let index = 0; index < rounds; index++) {
      await log.append([numbered(free, index)])
      await vi.waitFor(() => expect(got[1]).toHaveLength(index + 1), SOON)
    }
    // Five megabytes wait in the blocked lane; only the other lane was fetched meanwhile.
    expect(proxy.bytesAnswered - before).toBeLessThan(1_000_000)
    expect(fetched).toBeGreaterThanOrEqual(rounds)
    expect(got[0]).toEqual([])
    release()
    await vi.waitFor(() => expect(got[0]).toHaveLength(101), SOON)
    expect(got[0]).toEqual(Array.from({ length: 101 }, (_, index) => index))
  })

  it('whose batch fails repeatedly blocks no other lane', async () => {
    const settings = freshSettings({ lanes: 2 })
    await using log = await openKafka(settings)
    const [failing, free] = [deviceIn(0, 2), deviceIn(1, 2)]
    let failures = 0
    let got = 0
    await follow(log, 0, async (messages, lane) => {
      if (lane === 0 && failures++ < 4) throw new Error('not yet')
      got += messages.length
    })
    await log.append([numbered(failing, 0)])
    await vi.waitFor(() => expect(failures).toBeGreaterThan(0), SOON)
    await log.append([numbered(free, 0)])
    await vi.waitFor(() => expect(got).toBe(2), SOON)
    expect(failures).toBe(5)
  })
})
