import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import { emptyBatch, type LaneBatch, type Lease } from '../../ports/tables.ts'
import { clearFolds } from '../cassandra.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { countingClient } from '../testing/counting-client.fixture.ts'
import { CassandraLanes } from '../lanes.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { statement } from '../client/statements.ts'
import { CassandraTableWriter } from '../table-writer.ts'
import { Uniques } from './uniques.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const LANES = 2
const dates = ['2020-03-31', '2020-04-01']
const keyspace = ownKeyspace(engines, { leaseMs: 60_000 })

describe.skipIf(!engines)('distinct visitors on Cassandra', () => {
  const client = connectedTo(keyspace)

  async function lease(lane: number): Promise<Lease> {
    const lanes = new CassandraLanes(client(), LANES, keyspace.settings)
    const ownLease = await lanes.acquire(lane, randomUUID())
    await lanes.release(ownLease)
    return ownLease
  }

  async function writerOf(
    app: string,
  ): Promise<(lane: number, date: string, devices: readonly string[]) => Promise<void>> {
    const writer = new CassandraTableWriter(client(), keyspace.settings)
    const leases = [await lease(0), await lease(1)]
    return async (lane, date, devices) => {
      const rows = devices.map((device) => ({ key: [3], visitor: { user: '', device } }))
      const batch: LaneBatch = { ...emptyBatch, lane, visitors: [{ table: 'users_by_date', app, date, rows }] }
      await writer.apply(leases[lane]!, batch)
    }
  }

  it('re-reads only partitions that have changed, once for all concurrent callers', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const counted = countingClient(client(), 'users-by-date.read')
    const uniques = new Uniques(counted.client, LANES, 1_000_000)
    const total = async (): Promise<number> =>
      (await uniques.count({ table: 'users_by_date', app, dates, prefix: [], groupBy: [], countBy: 'device' }))[0]!
        .users
    await write(0, dates[0]!, ['a', 'b'])
    await write(1, dates[1]!, ['c', 'a'])
    expect(await Promise.all([total(), total(), total()])).toEqual([3, 3, 3])
    expect(counted.count()).toBe(4)
    expect(await total()).toBe(3)
    expect(counted.count()).toBe(4)
    await write(1, dates[0]!, ['d'])
    expect(await total()).toBe(4)
    expect(counted.count()).toBe(5)
  })

  describe('of a date that is not over', () => {
    const today = new Date().toISOString().slice(0, 10)
    const query = { table: 'users_by_date', dates: [today], prefix: [], groupBy: ['hour'], countBy: 'device' } as const

    /**
     * A writer with two visitors written and counted, and the count after each change, with the number of full reads of
     * the one partition.
     */
    async function open(): Promise<{
      app: string
      write: Awaited<ReturnType<typeof writerOf>>
      count: () => Promise<[users: number | undefined, reads: number]>
    }> {
      const app = randomUUID()
      const write = await writerOf(app)
      const counted = countingClient(client(), 'users-by-date.read')
      const uniques = new Uniques(counted.client, 1, 1_000_000)
      await write(0, today, ['a', 'b'])
      const count = async (): Promise<[number | undefined, number]> => [
        (await uniques.count({ ...query, app }))[0]?.users,
        counted.count(),
      ]
      expect(await count()).toEqual([2, 1])
      return { app, write, count }
    }

    it('reads the additions, not the partition', async () => {
      const { write, count } = await open()
      await write(0, today, ['b', 'c'])
      expect(await count()).toEqual([3, 1])
      for (const device of ['d', 'e', 'a']) await write(0, today, [device])
      expect(await count()).toEqual([5, 1])
    })

    it('reads the partition when a delta is missing', async () => {
      const { app, write, count } = await open()
      await write(0, today, ['c'])
      await write(0, today, ['d'])
      const [, next] = (
        await client().execute(
          'SELECT number FROM visitor_deltas WHERE app = ? AND date = ? AND lane = 0 AND number > 0',
          [app, today],
          { prepare: true },
        )
      ).rows
      await client().execute(
        'DELETE FROM visitor_deltas WHERE app = ? AND date = ? AND lane = 0 AND number = ?',
        [app, today, next!.get('number')],
        { prepare: true },
      )
      await write(0, today, ['e'])
      expect(await count()).toEqual([5, 2])
      await write(0, today, ['f'])
      expect(await count()).toEqual([6, 2])
      await write(0, today, ['g'])
      await client().execute('TRUNCATE visitor_deltas')
      expect(await count()).toEqual([7, 3])
    })

    it('discards earlier visitors after all tables were emptied', async () => {
      const { app, count } = await open()
      await clearFolds(keyspace.settings)
      await (
        await writerOf(app)
      )(0, today, ['z'])
      expect(await count()).toEqual([1, 2])
    })
  })

  it('reads the identities since the last read, not all of them', async () => {
    const app = randomUUID()
    const [writer, ownLease] = [new CassandraTableWriter(client(), keyspace.settings), await lease(0)]
    const apply = (devices: readonly string[], identities: LaneBatch['identities']): Promise<void> => {
      const rows = devices.map((device) => ({ key: [3], visitor: { user: '', device } }))
      return writer.apply(ownLease, {
        ...emptyBatch,
        lane: 0,
        visitors: [{ table: 'users_by_date', app, date: dates[0]!, rows }],
        identities,
      })
    }
    const counted = countingClient(client(), 'identity.firstUsers')
    const uniques = new Uniques(counted.client, 1, 1_000_000)
    const days = [...dates, '2020-04-02', '2020-04-03']
    const count = async (): Promise<[number, number]> => [
      (
        await uniques.count({ table: 'users_by_date', app, dates: days, prefix: [], groupBy: [], countBy: 'person' })
      )[0]!.users,
      counted.count(),
    ]
    await apply(['a', 'b', 'c'], [{ app, device: 'a', user: 'u', place: 1 }])
    expect(await count()).toEqual([3, 1])
    await apply([], [{ app, device: 'b', user: 'u', place: 2 }])
    expect(await count()).toEqual([2, 1])
    await apply(
      [],
      [
        { app, device: 'b', user: 'v', place: 3 },
        { app, device: 'z', user: 'w', place: 4 },
      ],
    )
    expect(await count()).toEqual([2, 1])
    await apply([], [{ app, device: 'c', user: 'u', place: 0 }])
    expect(await count()).toEqual([1, 2])
  })

  it('counts the same as a reader without a cache, whatever is written and queried in between', async () => {
    const days = Array.from({ length: 4 }, (_, index) =>
      new Date(Date.now() - (3 - index) * 86_400_000).toISOString().slice(0, 10),
    )
    const visitor = fc.record({ user: fc.constantFrom('', 'u', 'v'), device: fc.constantFrom('a', 'b', 'c', 'd', 'e') })
    const step = fc.record({
      lane: fc.nat(1),
      date: fc.constantFrom(...days),
      rows: fc.array(fc.record({ key: fc.tuple(fc.constantFrom('f', 'g'), fc.nat(2)), visitor }), { maxLength: 4 }),
      identified: fc.option(visitor, { nil: undefined }),
      earlier: fc.constantFrom(1, 1, 1, 0),
      isQueried: fc.boolean(),
    })
    const grouping = fc.record({
      prefix: fc.constantFrom([], ['f']),
      groupBy: fc.constantFrom([], ['stage'], ['date'], ['date', 'funnel']),
      countBy: fc.constantFrom('person' as const, 'device' as const),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 10 }),
        fc.array(grouping, { minLength: 1, maxLength: 3 }),
        async (steps, groupings) => {
          const app = randomUUID()
          const writer = new CassandraTableWriter(client(), { ...keyspace.settings, packedRowsMin: 3 })
          const leases = [await lease(0), await lease(1)]
          const cachingUniques = new Uniques(client(), LANES, 1_000_000)
          for (const [place, { lane, date, rows, identified, earlier, isQueried }] of steps.entries()) {
            const identities =
              identified && identified.user !== '' ? [{ app, place: 100 * earlier + place, ...identified }] : []
            const batch: LaneBatch = {
              ...emptyBatch,
              lane,
              visitors: [{ table: 'stage_users_by_date', app, date, rows }],
              identities,
            }
            await writer.apply(leases[lane]!, batch)
            if (!isQueried) continue
            for (const grouping of groupings) {
              const query = { ...grouping, table: 'stage_users_by_date', app, dates: days } as const
              expect(await cachingUniques.count(query)).toEqual(await new Uniques(client(), LANES, 0).count(query))
            }
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it('counts the same when nothing can be cached', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const counted = countingClient(client(), 'users-by-date.read')
    const uniques = new Uniques(counted.client, LANES, 0)
    await write(0, dates[0]!, ['a', 'b'])
    for (const reads of [4, 8]) {
      expect(
        await uniques.count({ table: 'users_by_date', app, dates, prefix: [], groupBy: ['date'], countBy: 'person' }),
      ).toEqual([{ group: [dates[0]], users: 2 }])
      expect(counted.count()).toBe(reads)
    }
  })

  it('reads a date that is over from its digest, as long as nothing was written since', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const devices = Array.from({ length: 300 }, (_, index) => `d${index}`)
    await write(0, dates[0]!, devices)
    const count = async (): Promise<[users: number | undefined, reads: number]> => {
      const counted = countingClient(client(), 'users-by-date.read')
      const rows = await new Uniques(counted.client, LANES, 0).count({
        table: 'users_by_date',
        app,
        dates: dates.slice(0, 1),
        prefix: [],
        groupBy: ['hour'],
        countBy: 'person',
      })
      expect(rows.map(({ group }) => group)).toEqual([[3]])
      return [rows[0]?.users, counted.count()]
    }
    expect(await count()).toEqual([300, 2])
    expect(await count()).toEqual([300, 1])
    await write(0, dates[0]!, ['d0', 'more'])
    expect(await count()).toEqual([301, 2])
    expect(await count()).toEqual([301, 1])
    const key = [app, dates[0], 0, 'users_by_date', '[]']
    const [row] = (await client().execute(statement('visitor-digests.read'), key, { prepare: true })).rows
    await client().execute(statement('visitor-digests.insert'), [...key, row!.get('version'), Buffer.from('damaged')], {
      prepare: true,
    })
    expect(await count()).toEqual([301, 2])
    expect(await count()).toEqual([301, 1])
  })
})
