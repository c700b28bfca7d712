import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Envelope, Event, RejectedEvent } from '@hopper/contracts'
import { withOverrides, type LogMessage, type TableWriter } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Aggregator } from './aggregator.ts'
import { messagesOf, openLane, type LaneStore } from './testing/lane.fixture.ts'
import { recount, type Placed } from './testing/recount.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

let lane: LaneStore
beforeAll(async () => void (lane = await openLane(openEmbedded)))
afterAll(() => lane[Symbol.asyncDispose]())

const MINUTE_MS = 60_000
/** Both clock changes in Berlin, and ends of dates there, in Kathmandu and in UTC. */
const instants = [
  '2026-03-28T23:00:00Z',
  '2026-03-29T01:00:00Z',
  '2026-03-29T22:00:00Z',
  '2026-10-24T22:00:00Z',
  '2026-10-25T01:00:00Z',
  '2026-10-25T23:00:00Z',
  '2026-03-29T18:15:00Z',
  '2026-10-25T18:15:00Z',
  '2026-03-29T00:00:00Z',
].map((text) => Date.parse(text))
const WEEK_MS = 7 * 86_400_000

const timestamp = fc
  .tuple(fc.constantFrom(...instants), fc.integer({ min: -150, max: 150 }), fc.constantFrom(-1, 0, 0, 1))
  .map(([at, minutes, ms]) => at + minutes * MINUTE_MS + ms)
const url = fc.constantFrom(
  '',
  'https://search.example/a?q=1',
  'https://s.example/',
  'https://s.example/a/?b=1&ref=x#top',
  '/a',
  '/a/?ref=y',
  'https://s.example/a?q=1',
)
const target = fc.constantFrom("//*[@id='x']", '//a[1]', '__proto__')
const elapsed_time = fc.oneof(fc.nat(9), fc.nat(100_000))
const identify = fc.record({ type: fc.constant('identify' as const), user_id: fc.constantFrom('ann', 'bob') })
const kind = fc.oneof(
  fc.record({ type: fc.constant('click' as const), target, elapsed_time, current_url: url }),
  fc.record({ type: fc.constant('url_change' as const), from: url, to: url, elapsed_time }),
  fc.record(
    {
      type: fc.constant('btn_time' as const),
      target,
      action: fc.constantFrom('hover-then-leave' as const, 'hover-then-clicked' as const),
      elapsed_time,
      pointer: fc.constantFrom('mouse' as const, 'touch' as const, 'pen' as const),
    },
    { requiredKeys: ['type', 'target', 'action', 'elapsed_time'] },
  ),
  fc.record(
    {
      type: fc.constant('funnel_change' as const),
      action: fc.constant('onClick' as const),
      funnel: fc.constantFrom('f', 'g'),
      entered: fc.nat(2),
      from: fc.nat(2),
      elapsed_time,
    },
    { requiredKeys: ['type', 'action', 'funnel', 'entered', 'elapsed_time'] },
  ),
  identify,
  identify,
  fc.record(
    { type: fc.constant('custom' as const), name: fc.constant('note'), user_id: fc.constantFrom('ann', 'd0') },
    { requiredKeys: ['type', 'name'] },
  ),
)
const event: fc.Arbitrary<Event> = fc
  .tuple(
    kind,
    timestamp,
    fc.nat(40),
    fc.nat(2),
    fc.option(fc.constantFrom(...instants), { nil: undefined }),
    fc.constantFrom(undefined, undefined, undefined, 10),
  )
  .map(([fields, at, id, session, client, samplerate]) => ({
    ...fields,
    ...(samplerate && { samplerate }),
    event_id: `e${id}`,
    timestamp: at,
    seq: 0,
    session_id: `s${session}`,
    ...(client && { client_time: client }),
  }))
const rejected: fc.Arbitrary<RejectedEvent> = fc.record({
  reason: fc.constantFrom('too_old' as const, 'missing_field' as const),
})
const plain = fc.record(
  {
    device: fc.constantFrom('desktop' as const, 'mobile' as const),
    browser: fc.constantFrom('Chrome', ''),
    os: fc.constant('Linux'),
    country: fc.constant('NP'),
  },
  { requiredKeys: ['device', 'browser', 'os'] },
)
const machine = plain.map((context) => ({ ...context, bot: 'webdriver' as const }))
const context = fc.oneof({ weight: 9, arbitrary: plain }, { weight: 1, arbitrary: machine })
/** Receipt together with an event, or at the end of the week after which the event is late. */
const received = fc.oneof(
  timestamp,
  fc.tuple(fc.constantFrom(...instants), fc.constantFrom(0, 1)).map(([at, ms]) => at + WEEK_MS + ms),
)
const envelope = fc.record({
  app: fc.constantFrom('berlin', 'berlin', 'berlin', 'kathmandu', 'kathmandu', 'nobody'),
  device_id: fc.constantFrom('d0', 'd0', 'd1'),
  received_at: received,
  context,
  events: fc.array(event, { maxLength: 4 }),
  rejected: fc.array(rejected, { maxLength: 1 }),
})
/** Envelopes, or bytes that are not an envelope. */
const log = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: envelope },
    { weight: 1, arbitrary: fc.constantFrom('{', '{"version":2}', 'null') },
  ),
  { minLength: 1, maxLength: 25 },
)
/**
 * One delivery: how far back it starts, its number of messages, whether it follows a restart, and whether it is cut
 * with only a part of it applied.
 */
const delivery = fc.record({
  back: fc.nat(12),
  length: fc.integer({ min: 1, max: 12 }),
  restart: fc.boolean(),
  cut: fc.option(fc.nat(0xffff), { nil: undefined, freq: 3 }),
})

/** Real writer that a time-out or crash can cut: some partitions then contain their change and others do not. */
function cutting(writer: TableWriter, mask: () => number | undefined): TableWriter {
  return withOverrides(writer, {
    async apply(lease, batch) {
      const bits = mask()
      if (bits === undefined) return writer.apply(lease, batch)
      let index = 0
      const some = <T>(changes: readonly T[]): T[] => changes.filter(() => (bits >> (index++ % 16)) & 1)
      await writer.apply(lease, {
        lane: batch.lane,
        counters: some(batch.counters),
        visitors: some(batch.visitors),
        seen: some(batch.seen),
        identities: some(batch.identities),
        sessions: some(batch.sessions),
        deadLetters: some(batch.deadLetters),
      })
      throw new Error('cut')
    },
  })
}

/** Builds the log of a run, with its own apps. */
function runOf(
  sent: readonly (Omit<Envelope, 'version'> | string)[],
  run: string,
): { placed: readonly Placed[]; messages: readonly LogMessage[] } {
  const placed: Placed[] = []
  const messages = sent.flatMap((each, index): LogMessage[] => {
    const position = index * 2 + 1
    if (typeof each === 'string') return [{ position, value: Buffer.from(each) }]
    placed.push({ position, envelope: { ...each, version: 1, app: `${each.app}-${run}` } })
    return messagesOf(placed.slice(-1))
  })
  return { placed, messages }
}

it('equals a recount, however batches are cut, redelivered, restarted or partly applied', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.array(delivery, { maxLength: 10 }), async (sent, deliveries) => {
      const run = randomUUID().slice(0, 8)
      const apps = [
        await lane.app(`berlin-${run}`, 'Europe/Berlin', ['ref']),
        await lane.app(`kathmandu-${run}`, 'Asia/Kathmandu'),
      ]
      const { placed, messages } = runOf(sent, run)
      let cut: number | undefined
      const { storage } = lane
      const start = async (): Promise<Aggregator> => {
        const made = new Aggregator({ ...storage, writer: cutting(storage.writer, () => cut), owner: run })
        await made.assigned(0)
        return made
      }
      let aggregator = await start()
      let next = 0
      for (const { back, length, restart, cut: mask } of [
        ...deliveries,
        { back: 0, length: messages.length, restart: true, cut: undefined },
      ]) {
        if (restart) aggregator = await start()
        const from = Math.max(0, Math.min(next, messages.length - 1) - back)
        const batch = messages.slice(from, from + length)
        cut = mask
        await aggregator.batch(0, batch).then(
          () => (next = Math.max(next, from + batch.length)),
          (error: Error) => expect(error.message).toBe('cut'),
        )
      }
      cut = undefined
      if (next < messages.length) await aggregator.batch(0, messages.slice(next))
      for (const app of apps) expect(await lane.tables(app.id)).toEqual(recount(app, placed))
      expect((await lane.tables(`nobody-${run}`)).counters).toEqual({})
    }),
    { numRuns: repetitions(80) },
  )
}, 60_000)

it('control: counts redelivered messages again when the watermark check is off', async () => {
  const run = randomUUID().slice(0, 8)
  const app = await lane.app(`berlin-${run}`, 'Europe/Berlin')
  const click = {
    type: 'click' as const,
    event_id: 'e',
    timestamp: instants[0]!,
    seq: 0,
    target: '//a',
    elapsed_time: 5,
    current_url: '/',
  }
  const { placed, messages } = runOf(
    [
      {
        app: 'berlin',
        device_id: 'd',
        received_at: instants[0]!,
        context: { device: 'desktop', browser: '', os: '' },
        events: [click],
      },
    ],
    run,
  )
  const aggregator = new Aggregator({ ...lane.storage, owner: run, watermarkCheck: false })
  await aggregator.assigned(0)
  for (let times = 0; times < 3; times++) await aggregator.batch(0, messages)
  const doubled = Object.fromEntries(
    Object.entries(recount(app, placed).counters).map(([row, values]) => [row, values.map((value) => 3 * value)]),
  )
  expect((await lane.tables(app.id)).counters).toEqual(doubled)
})
