import { randomUUID } from 'node:crypto'
import type { Client } from 'cassandra-driver'
import fc from 'fast-check'
import { afterEach, describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import { emptyBatch, type LaneBatch, type Lease } from '../../ports/tables.ts'
import { clearFolds } from '../cassandra.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { countingClient } from '../testing/counting-client.fixture.ts'
import { CounterCache } from './counter-cache.ts'
import { CassandraLanes } from '../lanes.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { statement } from '../client/statements.ts'
import { CassandraTableWriter } from '../table-writer.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const LANES = 2
const CACHE_BYTES = 1_000_000
const REFRESH_MS = 600_000
const dates = ['2020-03-31', '2020-04-01'] as const
const keyspace = ownKeyspace(engines, { leaseMs: 60_000 })

/** Page views that one lane counts on one date, from one position to another; equal positions are a correction. */
interface Views {
  readonly lane: number
  readonly date: string
  readonly from: number
  readonly to: number
  readonly views: Readonly<Record<string, number>>
}

function batchOf(app: string, lane: number, changes: readonly Views[]): LaneBatch {
  const counters = changes.map(
    ({ date, from, to, views }) =>
      ({
        table: 'page_views_by_date',
        app,
        date,
        from,
        to,
        rows: Object.entries(views).map(([url, hit]) => ({ key: [url], deltas: [hit, 0, 0] })),
      }) as const,
  )
  return { ...emptyBatch, lane, counters }
}

async function answer(cache: CounterCache, app: string, prefix: readonly string[] = []): Promise<string[]> {
  return (await cache.rows({ table: 'page_views_by_date', app, prefix }, dates)).map(
    ({ date, key, counters }) => `${date} ${key[0]} ${counters[0]}`,
  )
}

describe.skipIf(!engines)('the counter cache on Cassandra', () => {
  const client = connectedTo(keyspace)
  afterEach(() => void vi.restoreAllMocks())

  async function lease(lane: number): Promise<Lease> {
    const lanes = new CassandraLanes(client(), LANES, keyspace.settings)
    const ownLease = await lanes.acquire(lane, randomUUID())
    await lanes.release(ownLease)
    return ownLease
  }

  async function writerOf(app: string, over: Client = client()): Promise<(change: Views) => Promise<void>> {
    const writer = new CassandraTableWriter(over, keyspace.settings)
    const leases = [await lease(0), await lease(1)]
    return (change) => writer.apply(leases[change.lane]!, batchOf(app, change.lane, [change]))
  }

  it('re-reads only partitions that have counted or were corrected, once for all concurrent callers', async () => {
    const [app, other] = [randomUUID(), randomUUID()]
    const [write, writeOther] = [await writerOf(app), await writerOf(other)]
    const { client: counted, count } = countingClient(client(), 'page-views-by-date.read')
    const cache = new CounterCache(counted, LANES, CACHE_BYTES)
    expect(await answer(cache, app)).toEqual([])

    await write({ lane: 0, date: dates[0], from: -1, to: 4, views: { '/a': 2, '/b': 1 } })
    await write({ lane: 1, date: dates[0], from: -1, to: 9, views: { '/a': 3 } })
    await write({ lane: 0, date: dates[1], from: -1, to: 5, views: { '/b': 7 } })
    const all = ['2020-03-31 /a 5', '2020-03-31 /b 1', '2020-04-01 /b 7']
    const before = count()
    expect(await Promise.all([answer(cache, app), answer(cache, app)])).toEqual([all, all])
    expect(await answer(cache, app)).toEqual(all)
    expect(count() - before).toBe(3)

    await write({ lane: 1, date: dates[1], from: -1, to: 11, views: { '/c': 1 } })
    expect(await answer(cache, app)).toEqual([...all, '2020-04-01 /c 1'])
    await write({ lane: 0, date: dates[0], from: 4, to: 4, views: { '/a': -2 } })
    expect(await answer(cache, app)).toEqual(['2020-03-31 /a 3', ...all.slice(1), '2020-04-01 /c 1'])
    expect(await answer(cache, app, ['/a'])).toEqual(['2020-03-31 /a 3'])
    // A page by itself takes the partitions of both dates and lanes, see `KeyGenerations`.
    expect(count() - before).toBe(5 + 4)

    await writeOther({ lane: 0, date: dates[0], from: -1, to: 4, views: { '/a': 99 } })
    expect(await answer(cache, other)).toEqual(['2020-03-31 /a 99'])
    expect(await answer(cache, app, ['/a'])).toEqual(['2020-03-31 /a 3'])
  })

  it('returns the same as a reader without a cache, whatever is counted and queried in between', async () => {
    const step = fc.record({
      lane: fc.nat(1),
      date: fc.constantFrom(...dates),
      moves: fc.nat(2),
      views: fc.dictionary(fc.constantFrom('/', '/a', '__proto__'), fc.nat(9)),
      isRead: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const app = randomUUID()
        const write = await writerOf(app)
        const cache = new CounterCache(client(), LANES, CACHE_BYTES)
        const positions = new Map<string, number>()
        for (const { lane, date, moves, views, isRead } of steps) {
          const from = positions.get(`${lane} ${date}`) ?? -1
          await write({ lane, date, from, to: from + moves, views })
          positions.set(`${lane} ${date}`, from + moves)
          if (isRead) expect(await answer(cache, app)).toEqual(await answer(new CounterCache(client(), LANES, 0), app))
        }
      }),
      { numRuns: 8 },
    )
  })

  it('notices that all tables were emptied and have counted to the same positions again', async () => {
    const app = randomUUID()
    await (
      await writerOf(app)
    )({ lane: 0, date: dates[0], from: -1, to: 4, views: { '/a': 2 } })
    const cache = new CounterCache(client(), LANES, CACHE_BYTES)
    expect(await answer(cache, app)).toEqual(['2020-03-31 /a 2'])
    await clearFolds(keyspace.settings)
    expect(await answer(cache, app)).toEqual([])
    await (
      await writerOf(app)
    )({ lane: 0, date: dates[0], from: -1, to: 4, views: { '/a': 3 } })
    expect(await answer(cache, app)).toEqual(['2020-03-31 /a 3'])
  })

  describe('after an owner has counted and failed to bump the version', () => {
    const renewal = statement('visitor-versions.add')
    const [before, after] = [['2020-03-31 /a 2'], ['2020-03-31 /a 5']]
    const change = { lane: 0, date: dates[0], from: 4, to: 6, views: { '/a': 3 } }

    /**
     * A writer whose change was counted but whose version bump failed once, and a reader that has queried before and
     * after.
     */
    async function failedBump(
      app: string,
    ): Promise<{ writer: CassandraTableWriter; ownLease: Lease; cache: CounterCache }> {
      let failing = false
      const batch = (statements: { query: string; params: unknown[] }[], options: object): Promise<unknown> =>
        failing && statements[0]!.query === renewal
          ? Promise.reject(new Error('unavailable'))
          : client().batch(statements, options)
      const unsteady = new Proxy(client(), {
        get: (target, name) => (name === 'batch' ? batch : (Reflect.get(target, name, target) as unknown)),
      })
      const [writer, ownLease, cache] = [
        new CassandraTableWriter(unsteady, keyspace.settings),
        await lease(0),
        new CounterCache(client(), LANES, CACHE_BYTES),
      ]
      await writer.apply(ownLease, batchOf(app, 0, [{ ...change, from: -1, to: 4, views: { '/a': 2 } }]))
      expect(await answer(cache, app)).toEqual(before)
      failing = true
      await expect(writer.apply(ownLease, batchOf(app, 0, [change]))).rejects.toThrow('unavailable')
      failing = false
      // Proves that the failure took effect: the reader cannot know yet.
      expect(await answer(cache, app)).toEqual(before)
      return { writer, ownLease, cache }
    }

    it('its next batch bumps the version, whatever it counts', async () => {
      const app = randomUUID()
      const { writer, ownLease, cache } = await failedBump(app)
      await writer.apply(ownLease, batchOf(app, 0, []))
      expect(await answer(cache, app)).toEqual(after)
    })

    it('the next owner, which finds the batch counted, bumps the version', async () => {
      const app = randomUUID()
      const { cache } = await failedBump(app)
      const next = new CassandraTableWriter(client(), keyspace.settings)
      expect(await next.applied(0, [{ table: 'page_views_by_date', app, date: dates[0] }])).toEqual([6])
      await next.apply(await lease(0), batchOf(app, 0, []))
      expect(await answer(cache, app)).toEqual(after)
    })

    it('and no owner follows, entries are re-read after ten minutes', async () => {
      const app = randomUUID()
      const { cache } = await failedBump(app)
      const now = performance.now()
      vi.spyOn(performance, 'now').mockReturnValue(now + REFRESH_MS)
      expect(await answer(cache, app)).toEqual(after)
    })
  })

  it('returns the same when nothing can be cached', async () => {
    const app = randomUUID()
    const { client: counted, count } = countingClient(client(), 'page-views-by-date.read')
    const cache = new CounterCache(counted, LANES, 0)
    await (
      await writerOf(app)
    )({ lane: 0, date: dates[0], from: -1, to: 4, views: { '/a': 2 } })
    for (const reads of [4, 8]) {
      expect(await answer(cache, app)).toEqual(['2020-03-31 /a 2'])
      expect(count()).toBe(reads)
    }
  })
})
