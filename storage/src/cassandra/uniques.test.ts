import { randomUUID } from 'node:crypto'
import { describe, expect, inject, it, vi } from 'vitest'
import '../contract/engines.ts'
import type { LaneBatch } from '../ports/tables.ts'
import { connectedTo } from './connected.fixture.ts'
import { countingClient } from './counting-client.fixture.ts'
import { CassandraLanes } from './lanes.ts'
import { ownKeyspace } from './own-keyspace.fixture.ts'
import { statement } from './statements.ts'
import { CassandraTableWriter } from './table-writer.ts'
import { Uniques } from './uniques.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const engines = inject('engines')
const LANES = 2
const dates = ['2020-03-31', '2020-04-01']
const keyspace = ownKeyspace(engines, { leaseMs: 60_000 })

describe.skipIf(!engines)('distinct visitors on Cassandra', () => {
  const client = connectedTo(keyspace)

  async function writerOf(app: string): Promise<(lane: number, date: string, devices: readonly string[]) => Promise<void>> {
    const [lanes, writer] = [new CassandraLanes(client(), LANES, keyspace.settings), new CassandraTableWriter(client(), keyspace.settings)]
    const leases = [await lanes.acquire(0, randomUUID()), await lanes.acquire(1, randomUUID())]
    for (const lease of leases) await lanes.release(lease)
    return async (lane, date, devices) => {
      const rows = devices.map((device) => ({ key: [3], visitor: { user: '', device } }))
      const batch: LaneBatch = { lane, counters: [], visitors: [{ table: 'users_by_date', app, date, rows }], seen: [], identities: [], sessions: [], deadLetters: [] }
      await writer.apply(leases[lane]!, batch)
    }
  }

  it('reads only the partitions again that have changed, and each once for all that ask at the same time', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const counted = countingClient(client(), 'users-by-date.read')
    const uniques = new Uniques(counted.client, LANES, 1_000_000)
    const total = async (): Promise<number> => (await uniques.count({ table: 'users_by_date', app, dates, prefix: [], groupBy: [], countBy: 'device' }))[0]!.users
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

  it('counts the same when nothing can be kept', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const counted = countingClient(client(), 'users-by-date.read')
    const uniques = new Uniques(counted.client, LANES, 0)
    await write(0, dates[0]!, ['a', 'b'])
    for (const reads of [4, 8]) {
      expect(await uniques.count({ table: 'users_by_date', app, dates, prefix: [], groupBy: ['date'], countBy: 'person' })).toEqual([{ group: [dates[0]], users: 2 }])
      expect(counted.count()).toBe(reads)
    }
  })

  it('reads a date that is over from its digest, as long as nothing was written since', async () => {
    const app = randomUUID()
    const write = await writerOf(app)
    const devices = Array.from({ length: 300 }, (_, at) => `d${at}`)
    await write(0, dates[0]!, devices)
    const count = async (): Promise<[users: number | undefined, reads: number]> => {
      const counted = countingClient(client(), 'users-by-date.read')
      const rows = await new Uniques(counted.client, LANES, 0).count({ table: 'users_by_date', app, dates: dates.slice(0, 1), prefix: [], groupBy: ['hour'], countBy: 'person' })
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
    await client().execute(statement('visitor-digests.insert'), [...key, row!.get('version'), Buffer.from('damaged')], { prepare: true })
    expect(await count()).toEqual([301, 2])
    expect(await count()).toEqual([301, 1])
  })
})
