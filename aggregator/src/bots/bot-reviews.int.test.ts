import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { botReviewId, type App, type BotRule, type Envelope, type Event } from '@hopper/contracts'
import type { Archive, Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { repetitions } from '@hopper/storage/contract/repetitions'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import type { AggregatorOptions } from '../aggregator-options.ts'
import { Aggregator } from '../aggregator.ts'
import { withSessionVerdicts } from '../testing/bots.fixture.ts'
import { envelopesOf, failingAfter, sentMessages } from '../testing/forget.fixture.ts'
import { envelopeOf, openLane, until, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { recount, type Placed } from '../testing/recount.fixture.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

/** Long, for a busy machine. */
const WAIT_MS = 60_000
const T0 = Date.parse('2026-06-15T12:00:00Z')
const engines = inject('engines')
const rule = fc.constantFrom<BotRule>(
  { kind: 'browser', value: 'Firefox', action: 'bot' },
  { kind: 'browser', value: 'Chrome', action: 'human' },
  { kind: 'page', value: '/a', action: 'bot' },
  { kind: 'page', value: '/a', action: 'human' },
)
const rules = fc.uniqueArray(rule, { maxLength: 2 })
/** Calls of storage until each process is gone. */
const callsOfLives = fc.array(fc.integer({ min: 20, max: 250 }), { maxLength: 4 }).map((later) => [30, ...later])

/** The envelopes of an app; ingest treats some senders as human, by a rule. */
function sent(app: App, messages: Parameters<typeof envelopesOf>[1], round?: string): Envelope[] {
  return envelopesOf(app.id, messages, round).map((envelope, index) =>
    index % 7 === 3 && !envelope.context.bot
      ? { ...envelope, context: { ...envelope.context, bot_sign: 'human' } }
      : envelope,
  )
}

function suite(open: (options: { dir: string; lanes: number }) => Promise<Storage>, runs: number): void {
  let lane: LaneStore
  beforeAll(async () => void (lane = await openLane(open)))
  afterAll(() => lane[Symbol.asyncDispose]())

  const start = async (options: Partial<AggregatorOptions> = {}): Promise<Aggregator> => {
    const aggregator = new Aggregator({
      ...lane.storage,
      owner: 'test',
      archiveBacklogMs: 0,
      bots: { checkMs: 0 },
      ...options,
    })
    await aggregator.start()
    return aggregator
  }
  const counted = (): Promise<void> => until(() => lane.isCounted(), WAIT_MS)
  /** A run that had begun before may not know of changed rules yet, so wait for two runs. */
  const reviewed = async (aggregator: Aggregator): Promise<void> => {
    await counted()
    for (let times = 0; times < 2; times++) await until(() => aggregator.reviewBots(), WAIT_MS)
  }
  const ruled = async (app: App, bot_rules: readonly BotRule[]): Promise<void> =>
    lane.storage.registry.apps.put('acme', app.id, { ...app, bot_rules: [...bot_rules] })
  const expectTables = async (app: App, log: readonly Placed[], by: readonly BotRule[] = []): Promise<void> =>
    expect(await lane.tables(app.id)).toEqual(recount(app, withSessionVerdicts(app, log, by)))

  it('gives every event the verdict of its session, however the events arrive', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(sentMessages, { minLength: 1, maxLength: 3 }), async (rounds) => {
          const app = await lane.app(randomUUID(), 'UTC', ['ref'])
          const log: Placed[] = []
          for (const messages of rounds) {
            log.push(...(await lane.append(sent(app, messages))))
            await reviewed(aggregator)
          }
          await expectTables(app, log)
        }),
        { numRuns: runs, endOnFailure: true },
      )
    } finally {
      await aggregator.close()
    }
  })

  it('control: without reviews, a session of which one event is a bot is counted in part', async () => {
    const aggregator = new Aggregator({ ...lane.storage, owner: 'test' })
    await aggregator.start()
    const app = await lane.app(randomUUID())
    const event = (id: string): Event => ({
      type: 'custom',
      name: 'n',
      event_id: id,
      timestamp: T0,
      seq: 0,
      session_id: 's',
    })
    const driven = { device: 'desktop', browser: 'Firefox', os: 'Linux', bot: 'webdriver' } as const
    await lane.append([
      envelopeOf(app.id, { events: [event('a')] }),
      envelopeOf(app.id, { events: [event('b')], context: driven }),
    ])
    await counted()
    await aggregator.close()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1, bot: 1 })
    const reviewing = await start()
    await reviewed(reviewing)
    await reviewing.close()
    expect(await lane.fates(app.id)).toEqual({ bot: 2 })
  })

  it('applies changed rules to the past, as if they had held from the start, while events arrive', async () => {
    const aggregator = await start()
    try {
      await fc.assert(
        fc.asyncProperty(sentMessages, rules, sentMessages, rules, async (before, early, after, later) => {
          const app = await lane.app(randomUUID(), 'UTC', ['ref'])
          const log = await lane.append(sent(app, before))
          await ruled(app, early)
          log.push(...(await lane.append(sent(app, after, 'second'))))
          await reviewed(aggregator)
          await expectTables(app, log, early)
          await ruled(app, later)
          log.push(...(await lane.append(sent(app, before, 'third'))))
          await reviewed(aggregator)
          await expectTables(app, log, later)
          await ruled(app, [])
          await reviewed(aggregator)
          await expectTables(app, log)
        }),
        { numRuns: runs, endOnFailure: true },
      )
    } finally {
      await aggregator.close()
    }
  })

  it('continues wherever it is interrupted', async () => {
    let interrupted = 0
    await fc.assert(
      fc.asyncProperty(sentMessages, rules, sentMessages, callsOfLives, async (before, by, after, lives) => {
        const app = await lane.app(randomUUID(), 'UTC', ['ref'])
        const log = await lane.append(sent(app, before))
        const counting = await start()
        await reviewed(counting)
        await counting.close()
        await ruled(app, by)
        log.push(...(await lane.append(sent(app, after, 'second'))))
        for (const calls of lives) {
          const storage = failingAfter(lane.storage, calls)
          const aggregator = await start(storage)
          await until(async () => (await aggregator.reviewBots()) || storage.isDead(), WAIT_MS)
          await aggregator.close()
          if (storage.isDead()) interrupted++
        }
        const aggregator = await start()
        await reviewed(aggregator)
        await aggregator.close()
        await expectTables(app, log, by)
      }),
      { numRuns: runs, endOnFailure: true },
    )
    expect(interrupted).toBeGreaterThanOrEqual(runs)
  })

  it('changes nothing of a day on which the tables count events that the archive has lost', async () => {
    const app = await lane.app(randomUUID())
    const custom = (id: string, timestamp: number): Event => ({
      ...{ type: 'custom', name: 'n', event_id: id, timestamp, seq: 0, session_id: id.slice(0, 1) },
    })
    const received = { received_at: T0 }
    const forgetful = new Proxy(lane.storage.archive!, {
      get: (archive, name: keyof Archive) =>
        name === 'append' ? async () => undefined : archive[name]?.bind(archive as never),
    })
    const losing = await start({ archive: forgetful, archiveMs: 0 })
    await lane.append([envelopeOf(app.id, { ...received, events: [custom('lost', T0 - 3 * 86_400_000)] })])
    await counted()
    await losing.close()
    const aggregator = await start()
    const driven = { device: 'desktop', browser: 'Firefox', os: 'Linux', bot: 'webdriver' } as const
    await lane.append([
      envelopeOf(app.id, { ...received, events: [custom('s1', T0)] }),
      envelopeOf(app.id, { ...received, events: [custom('s2', T0 + 1)], context: driven }),
    ])
    const problem = async (): Promise<string | undefined> =>
      (await lane.storage.registry.botReviews.get(app.id, botReviewId({ app: app.id, lane: 0 })))?.problem
    await until(async () => (await problem()) !== undefined, WAIT_MS)
    await aggregator.close()
    // Its review never ends, and others wait until all have.
    await lane.storage.registry.apps.remove('acme', app.id)
    expect(await problem()).toContain('differ by 1 events: run "hopper audit --repair"')
    expect(await lane.fates(app.id)).toMatchObject({ bot: 1 })
    expect(Object.values(await lane.fates(app.id)).reduce((sum, events) => sum + events, 0)).toBe(3)
  })

  it('takes a session that is faster than a person back as a whole, and no other', async () => {
    const app = await lane.app(randomUUID())
    const aggregator = await start()
    const click = (id: number, session_id: string, timestamp: number): Event => ({
      ...{ type: 'click', event_id: `${session_id} ${id}`, timestamp, seq: id, session_id },
      ...{ target: '//a', elapsed_time: 1, current_url: 'https://s.example/' },
    })
    const burst = (session: string, number: number, everyMs: number): Event[] =>
      Array.from({ length: number }, (_, index) => click(index, session, T0 + index * everyMs))
    const log: Placed[] = []
    for (const [device_id, events] of [
      ['human', burst('slow', 1_100, 60)],
      ['robot', burst('fast', 1_001, 59)],
      ['robot', burst('other', 3, 1_000)],
    ] as const)
      for (let start = 0; start < events.length; start += 500)
        log.push(...(await lane.append([envelopeOf(app.id, { device_id, events: events.slice(start, start + 500) })])))
    await reviewed(aggregator)
    await aggregator.close()
    expect(await lane.fates(app.id)).toEqual({ accepted: 1_103, bot: 1_001 })
    expect(await lane.storage.reader.session(app.id, 'fast')).toBeUndefined()
    expect(await lane.storage.reader.session(app.id, 'slow')).toMatchObject({ start: T0, end: T0 + 1_099 * 60 })
    await expectTables(app, log)
  })

  it('counts a session again once no rule calls it a bot any more, with its bounds and its user', async () => {
    const app = await lane.app(randomUUID())
    await ruled(app, [{ kind: 'browser', value: 'firefox', action: 'bot' }])
    const aggregator = await start()
    const view = (id: string, timestamp: number): Event => ({
      ...{ type: 'url_change', event_id: id, timestamp, seq: 0, session_id: 'visit', user_id: 'ann' },
      ...{ from: '', to: 'https://s.example/', elapsed_time: 0 },
    })
    const log = await lane.append([
      envelopeOf(app.id, { device_id: 'phone', events: [view('a', T0), view('b', T0 + 5_000)] }),
    ])
    await reviewed(aggregator)
    expect(await lane.fates(app.id)).toEqual({ bot: 2 })
    expect(await lane.storage.reader.session(app.id, 'visit')).toBeUndefined()
    await ruled(app, [])
    await reviewed(aggregator)
    await aggregator.close()
    expect(await lane.fates(app.id)).toEqual({ accepted: 2 })
    expect(await lane.storage.reader.session(app.id, 'visit')).toMatchObject({
      start: T0,
      end: T0 + 5_000,
      user: 'ann',
    })
    await expectTables(app, log)
  })
}

describe('on SQLite', () => suite(openEmbedded, repetitions(8)))
describe.skipIf(!engines)('on Cassandra', () => {
  if (engines) suite(overCassandra(engines), repetitions(6))
})
