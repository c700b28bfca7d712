import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { Chunk, chunkRows } from '@hopper/engine'
import type { LogMessage, Storage, TableWriter } from '@hopper/storage'
import '@hopper/storage/contract/engines'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { Aggregator } from '../aggregator.ts'
import { envelopeOf, messagesOf, openLane, type LaneStore } from '../testing/lane.fixture.ts'
import { overCassandra } from '../testing/over-cassandra.fixture.ts'
import { repetitions } from '@hopper/storage/contract/repetitions'

const engines = inject('engines')
const DAY_MS = 86_400_000
const T0 = Date.parse('2026-06-15T22:00:00Z')

/**
 * Events with the number of times that each is sent, its device and its place in the order; some are sent again a week
 * later. Times are on both sides of a UTC midnight.
 */
const sent = fc.array(
  fc.record({
    device: fc.nat(2),
    minutes: fc.nat(240),
    skewed: fc.boolean(),
    sendings: fc.array(fc.record({ order: fc.nat(), late: fc.boolean() }), { minLength: 1, maxLength: 5 }),
  }),
  { minLength: 1, maxLength: 25 },
)
const deliveries = fc.array(
  fc.record({ length: fc.integer({ min: 1, max: 15 }), then: fc.constantFrom('restart', 'crash', 'again', 'go on') }),
  { minLength: 12, maxLength: 12 },
)

interface Sent {
  readonly messages: LogMessage[]
  /** ids in the order of their first positions */
  readonly expected: string[]
}

function logOf(app: string, events: typeof sent extends fc.Arbitrary<infer T> ? T : never): Sent {
  const sendings = events
    .flatMap(({ device, minutes, skewed, sendings: times }, id) =>
      times.map(({ order, late }) => {
        const timestamp = T0 + minutes * 60_000
        // The clock correction may differ from one sending to the next; the client's own time is the same.
        const event = {
          type: 'url_change' as const,
          event_id: `e${id}`,
          timestamp: skewed && late ? timestamp + 2 * DAY_MS : timestamp,
          seq: 0,
          from: '',
          to: '/',
          elapsed_time: 0,
          ...(skewed ? { client_time: timestamp } : {}),
        }
        return { order, late, device_id: `d${device}`, event }
      }),
    )
    .sort((a, b) => Number(a.late) - Number(b.late) || a.order - b.order)
  const placed = sendings.map(({ device_id, event, late }, position) => ({
    position,
    envelope: envelopeOf(app, { device_id, received_at: T0 + DAY_MS + (late ? 8 * DAY_MS : 0), events: [event] }),
  }))
  const first = new Map<string, number>()
  sendings.forEach(({ event: { event_id } }, position) => void (first.has(event_id) || first.set(event_id, position)))
  return { messages: messagesOf(placed), expected: [...first].map(([id, position]) => `${position} ${id}`) }
}

async function archivedIds({ archive }: Storage, app: string): Promise<string[]> {
  const rows = []
  for (const summary of await archive!.list({ app, from: 0, to: Number.MAX_SAFE_INTEGER })) {
    rows.push(
      ...chunkRows(Chunk.of({ summary, columns: await archive!.columns(summary, Object.keys(summary.columns)) })),
    )
  }
  return rows.sort((a, b) => a.position - b.position).map(({ position, event }) => `${position} ${event.event_id}`)
}

function suite(
  name: string,
  open: (options: { dir: string; lanes: number }) => Promise<Storage>,
  numRuns: number,
): void {
  describe(`ids that are sent again, on ${name}`, () => {
    let lane: LaneStore
    beforeAll(async () => void (lane = await openLane(open)), 120_000)
    afterAll(() => lane[Symbol.asyncDispose]())

    async function run(
      events: Parameters<typeof logOf>[1],
      cuts: typeof deliveries extends fc.Arbitrary<infer T> ? T : never,
      writer: TableWriter,
    ): Promise<void> {
      const app = `s-${randomUUID()}`
      await lane.app(app, 'Asia/Tokyo')
      const { messages, expected } = logOf(app, events)
      const { lanes } = lane.storage
      const ownLease = await lanes.acquire(0, app)
      await lanes.commit(ownLease, 0)
      await lanes.release(ownLease)
      let lease = ownLease
      const owned: Storage['lanes'] = {
        acquire: async (...args) => (lease = await lanes.acquire(...args)),
        renew: (held) => lanes.renew(held),
        release: (held) => lanes.release(held),
        commit: (...args) => lanes.commit(...args),
        positions: () => lanes.positions(),
      }
      const start = async (): Promise<[Aggregator, number]> => {
        const made = new Aggregator({ ...lane.storage, lanes: owned, writer, owner: app, seenBytesMax: 5_000 })
        return [made, await made.assigned(0)]
      }
      let [aggregator, next] = await start()
      for (const { length, then } of [
        ...cuts,
        { length: messages.length, then: 'restart' },
        { length: messages.length, then: 'restart' },
      ]) {
        const batch = messages.slice(next, next + length)
        if (batch.length > 0) await aggregator.batch(0, batch)
        if (then === 'again' && batch.length > 0) await aggregator.batch(0, batch)
        next += batch.length
        if (then === 'restart') await aggregator.revoked(0)
        // A crashed owner releases nothing; the release only saves the test from waiting until its lease expires.
        if (then === 'crash') await lanes.release(lease)
        if (then === 'restart' || then === 'crash') [aggregator, next] = await start()
      }
      await aggregator.revoked(0)
      const fates = await lane.fates(app)
      expect((fates['accepted'] ?? 0) + (fates['late'] ?? 0)).toBe(expected.length)
      expect(fates['duplicate'] ?? 0).toBe(messages.length - expected.length)
      const views = Object.entries((await lane.tables(app)).counters).filter(([row]) =>
        row.startsWith('page_views_by_date'),
      )
      expect(views.reduce((sum, [, [hit]]) => sum + hit!, 0)).toBe(expected.length)
      expect(await archivedIds(lane.storage, app)).toEqual(expected)
    }

    it('count once, in any number and order, over restarts and a week later', async () => {
      await fc.assert(
        fc.asyncProperty(sent, deliveries, (events, cuts) => run(events, cuts, lane.storage.writer)),
        { numRuns },
      )
    }, 280_000)

    it('are counted twice by filters that wrongly claim to be complete (control)', async () => {
      const { writer } = lane.storage
      const forgetful: TableWriter = {
        applied: (...args) => writer.applied(...args),
        firstPositions: (...args) => writer.firstPositions(...args),
        identities: (...args) => writer.identities(...args),
        apply: (...args) => writer.apply(...args),
        removeVisitors: (...args) => writer.removeVisitors(...args),
        removeIdentities: (...args) => writer.removeIdentities(...args),
        replaceSeen: (...args) => writer.replaceSeen(...args),
        replaceSessions: (...args) => writer.replaceSessions(...args),
        removeDeadLetters: (...args) => writer.removeDeadLetters(...args),
        datesOf: (...args) => writer.datesOf(...args),
        expire: (...args) => writer.expire(...args),
        expireSessions: (...args) => writer.expireSessions(...args),
        devicesWithIdentities: (...args) => writer.devicesWithIdentities(...args),
        async *seenIds() {},
      }
      const twice = {
        device: 0,
        minutes: 0,
        skewed: false,
        sendings: [
          { order: 0, late: false },
          { order: 0, late: true },
        ],
      }
      await expect(run([twice], [{ length: 1, then: 'restart' }], writer)).resolves.toBeUndefined()
      await expect(run([twice], [{ length: 1, then: 'restart' }], forgetful)).rejects.toThrow()
    }, 60_000)
  })
}

suite('SQLite', openEmbedded, repetitions(40))

describe.skipIf(!engines)('over engines', () =>
  suite('Cassandra', (options) => overCassandra(engines!)(options), repetitions(4)),
)
