import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { ArchivedEvent, Envelope } from '@hopper/contracts'
import { Chunk, chunkRows } from '@hopper/engine'
import { withOverrides, type Archive, type LogMessage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Aggregator } from './aggregator.ts'
import { envelopeOf, messagesOf, openLane, until, type LaneStore } from './testing/lane.fixture.ts'
import { MergeThread } from './merge/merge-thread.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

let lane: LaneStore
let archive: Archive
const merger = new MergeThread()
beforeAll(async () => {
  lane = await openLane(openEmbedded)
  archive = lane.storage.archive!
})
afterAll(async () => {
  await merger.close()
  await lane[Symbol.asyncDispose]()
})

const DAY_MS = 86_400_000
const T0 = Date.parse('2026-06-15T12:00:00Z')

/** Reads all archived events of an app, in the order of the log. */
async function archivedEvents(app: string): Promise<ArchivedEvent[]> {
  const rows: ArchivedEvent[] = []
  for (const summary of await archive.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })) {
    const cells = await archive.columns(summary, Object.keys(summary.columns))
    rows.push(...chunkRows(Chunk.of({ summary, columns: cells })))
  }
  return rows.sort((a, b) => a.position - b.position || a.index - b.index)
}

/** Real archive that fails on demand, before or after it has written. */
function failing(mode: () => 'before' | 'after' | undefined): Archive {
  return withOverrides(archive, {
    async append(lease, chunks) {
      const fails = mode()
      if (fails === 'before') throw new Error('cut')
      await archive.append(lease, chunks)
      if (fails === 'after') throw new Error('cut')
    },
  })
}

const sent = fc.array(
  fc.record({
    other: fc.boolean(),
    bot: fc.boolean(),
    device_id: fc.constantFrom('d0', 'd1'),
    late: fc.boolean(),
    events: fc.array(
      fc.record({ id: fc.nat(12), user: fc.option(fc.constantFrom('ann', 'bob'), { nil: undefined }) }),
      { maxLength: 3 },
    ),
  }),
  { minLength: 1, maxLength: 20 },
)
const delivery = fc.record({
  defer: fc.subarray(['a', 'b']),
  length: fc.integer({ min: 1, max: 6 }),
  then: fc.constantFrom('crash', 'close', 'expire', 'go on', 'again', 'merge', 'catch up'),
  fails: fc.constantFrom('before' as const, 'after' as const, undefined),
})

interface Log {
  readonly messages: LogMessage[]
  /** by app */
  readonly expected: ReadonlyMap<string, object[]>
  /** number of events that were sent, by app */
  readonly events: ReadonlyMap<string, number>
}

/** Builds a log. Each id has one time, so that repetitions share it; the ids spread over three dates. */
function logOf(apps: readonly [string, string], envelopes: typeof sent extends fc.Arbitrary<infer T> ? T : never): Log {
  const seen = new Set<string>()
  const users = new Map<string, string>()
  const expected = new Map<string, object[]>(apps.map((app) => [app, []]))
  const sums = new Map<string, number>(apps.map((app) => [app, 0]))
  const placed = envelopes.map(({ other, bot, device_id, late, events }, position) => {
    const app = apps[Number(other)]!
    const device = `${app} ${device_id}`
    const received_at = T0 + (late ? 30 : 2) * DAY_MS
    const full = events.map(({ id, user }) => ({
      type: 'custom' as const,
      name: 'n',
      event_id: `e${id}`,
      timestamp: T0 + (id % 3) * DAY_MS,
      seq: 0,
      ...(user === undefined ? {} : { user_id: user }),
    }))
    sums.set(app, sums.get(app)! + events.length)
    events.forEach(({ id, user }, index) => {
      if (seen.has(`${app} ${id}`)) return
      seen.add(`${app} ${id}`)
      if (user !== undefined) users.set(device, user)
      expected.get(app)!.push({
        event_id: `e${id}`,
        device_id,
        user: users.get(device) ?? '',
        bot: bot ? 'webdriver' : undefined,
        received_at,
        position,
        index,
      })
    })
    const context: Envelope['context'] = {
      device: 'desktop',
      browser: 'Firefox',
      os: 'Linux',
      ...(bot ? { bot: 'webdriver' as const } : {}),
    }
    return { position, envelope: envelopeOf(app, { device_id, received_at, context, events: full }) }
  })
  return { messages: messagesOf(placed), expected, events: sums }
}

const plain = (row: ArchivedEvent): object => ({
  event_id: row.event.event_id,
  device_id: row.device_id,
  user: row.user,
  bot: row.context.bot,
  received_at: row.received_at,
  position: row.position,
  index: row.index,
})

// The deliveries include merges, crashes, lost leases, repetitions, deferred apps, and writes that fail before or after
// their effect.
it('archives every event except duplicates exactly once, whatever fails in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      sent,
      fc.array(delivery, { maxLength: 12 }),
      fc.constantFrom(0, 500, 1e6),
      async (envelopes, deliveries, heldBytesMax) => {
        const run = randomUUID()
        const app = `a-${run}`
        for (const id of ['a', 'b']) await lane.app(`${id}-${run}`, 'Asia/Kathmandu')
        const { messages, expected, events } = logOf([app, `b-${run}`], envelopes)
        let deferred: readonly string[] = []
        const { lanes, log } = lane.storage
        let fails: 'before' | 'after' | undefined
        let lastsMs = 60_000
        const make = (): Aggregator =>
          new Aggregator({
            ...lane.storage,
            owner: app,
            archive: failing(() => fails),
            merger,
            heldBytesMax,
            chooseDeferred: ({ bytes }) => deferred.map((id) => `${id}-${run}`).filter((id) => bytes.has(id)),
            log: {
              lanes: 1,
              append: (...args) => log.append(...args),
              appendMessages: (...args) => log.appendMessages(...args),
              ends: () => log.ends(),
              subscribe: (consumer) => log.subscribe(consumer),
              close: async () => undefined,
              read: async (_, from, limit) => messages.slice(from, from + limit),
            },
            lanes: {
              acquire: async (...args) => ({
                ...(await lanes.acquire(...args)),
                expiresAt: performance.now() + lastsMs,
              }),
              renew: (l) => lanes.renew(l),
              release: (l) => lanes.release(l),
              commit: (...args) => lanes.commit(...args),
              positions: () => lanes.positions(),
            },
          })
        // The lane belongs to one run of the property: it starts at its first message.
        await lanes.commit(await lanes.acquire(0, app), 0)
        let aggregator = make()
        let next = await aggregator.assigned(0)
        // As a consumer does: a failed batch is delivered again; by then, the lane has been taken again if its lease
        // had expired.
        const deliver = (batch: LogMessage[]): Promise<void> =>
          aggregator.batch(0, batch).catch(() => aggregator.batch(0, batch))
        for (const { length, then, defer, fails: failure } of deliveries) {
          deferred = defer
          fails = failure
          const batch = messages.slice(next, next + length)
          if (batch.length > 0) await deliver(batch)
          if (then === 'again') deferred = ['a', 'b']
          if (then === 'again' && batch.length > 0) await deliver(batch)
          next += batch.length
          if (then === 'merge') await aggregator.merge()
          if (then === 'catch up') await aggregator.catchUp()
          if (then === 'close') await aggregator.revoked(0)
          if (then === 'expire') {
            // The lane is taken again for the next batch, and the buffered events are lost.
            lastsMs = -1
            deferred = []
            await aggregator.assigned(0)
            await aggregator.batch(0, messages.slice(next, next + 1)).then(
              () => undefined,
              () => undefined,
            )
            lastsMs = 60_000
          }
          if (then !== 'crash' && then !== 'close') continue
          aggregator = make()
          next = await aggregator.assigned(0)
        }
        fails = undefined
        if (next < messages.length) await deliver(messages.slice(next))
        await aggregator.catchUp()
        await aggregator.revoked(0)
        // Events that were lost with a lease are read again by the next start.
        aggregator = make()
        next = await aggregator.assigned(0)
        if (next < messages.length) await deliver(messages.slice(next))
        await aggregator.catchUp()
        await aggregator.revoked(0)
        expect((await lanes.positions())[0]).toBe(messages.length)
        for (const [id, once] of expected) {
          expect((await archivedEvents(id)).map(plain)).toEqual(once)
          const { duplicate = 0, ...others } = await lane.fates(id)
          expect(duplicate).toBe(events.get(id)! - once.length)
          expect(Object.values(others).reduce((sum, count) => sum + count, 0)).toBe(once.length)
        }
      },
    ),
    { numRuns: repetitions(60) },
  )
}, 60_000)

it('archives counted events within seconds, and commits its position only afterwards', async () => {
  await lane.app('live')
  let fails: 'before' | undefined = 'before'
  const { lanes, log } = lane.storage
  await lanes.commit(await lanes.acquire(0, 'live'), (await log.ends())[0]!)
  const before = (await lanes.positions())[0]!
  let tries = 0
  const aggregator = new Aggregator({ ...lane.storage, owner: 'live', archive: failing(() => (tries++, fails)) })
  await aggregator.start()
  const event = { type: 'custom' as const, name: 'n', event_id: 'one', timestamp: T0, seq: 0 }
  await log.append([envelopeOf('live', { events: [event] })])
  await until(async () => tries >= 2)
  expect((await lanes.positions())[0]).toBe(before)
  expect(await archivedEvents('live')).toEqual([])
  fails = undefined
  await until(async () => (await lanes.positions())[0] === before + 1)
  expect((await archivedEvents('live')).map(({ event: { event_id } }) => event_id)).toEqual(['one'])
  await aggregator.close()
}, 20_000)

it('merges small spans that earlier owners have left', async () => {
  await lane.app('left')
  const { lanes, log } = lane.storage
  await lanes.commit(await lanes.acquire(0, 'left'), (await log.ends())[0]!)
  const ids = ['a', 'b', 'c', 'd']
  for (const event_id of ids) {
    const event = {
      type: 'custom' as const,
      name: 'n',
      event_id,
      timestamp: Date.parse('2020-02-02T12:00:00Z'),
      seq: 0,
    }
    await log.append([envelopeOf('left', { events: [event] })])
    const aggregator = new Aggregator({ ...lane.storage, owner: event_id })
    const from = await aggregator.assigned(0)
    await aggregator.batch(0, await log.read(0, from, 10))
    await aggregator.revoked(0)
  }
  const listed = (): ReturnType<Archive['list']> => archive.list({ app: 'left', from: 0, to: Number.MAX_SAFE_INTEGER })
  expect(await listed()).toHaveLength(ids.length)
  const aggregator = new Aggregator({ ...lane.storage, owner: 'next' })
  await aggregator.start()
  await until(async () => (await listed()).length === 1)
  expect((await archivedEvents('left')).map(({ event: { event_id } }) => event_id)).toEqual(ids)
  await aggregator.close()
}, 20_000)
