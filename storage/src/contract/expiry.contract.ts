import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { counterTableNames, counterTables, visitorTableNames, visitorTables } from '../ports/table-definitions.ts'
import type { Storage } from '../ports/storage.ts'
import { emptyBatch, rejectedPartition, type ExpiredTables, type LaneBatch, type Lease } from '../ports/tables.ts'

const dates = ['2026-02-27', '2026-02-28', '2026-03-01']
const DAY_MS = 86_400_000

/** The contract of every tables adapter about dates that expire. */
export function expiryContract(name: string, make: () => Promise<Storage>): void {
  describe(`expired dates on ${name}`, () => {
    let storage: Storage
    let leases: Lease[]
    beforeAll(async () => {
      storage = await make()
      leases = [await storage.lanes.acquire(0, randomUUID()), await storage.lanes.acquire(1, randomUUID())]
    })
    afterAll(async () => {
      for (const lease of leases) await storage.lanes.release(lease)
      await storage.close()
    })
    const apply = (lease: Lease, batch: Partial<LaneBatch>): Promise<void> =>
      storage.writer.apply(lease, { ...emptyBatch, ...batch, lane: lease.lane })
    const keyOf = (types: Readonly<Record<string, 'text' | 'int'>>, index = 0): (string | number)[] =>
      Object.values(types).map((type) => (type === 'int' ? index : `k${index}`))

    /** Fills every table on every date, with more visitors than one step removes. */
    async function filled(app: string): Promise<void> {
      for (const lease of leases) {
        const counters = dates.flatMap((date) =>
          counterTableNames.map((table) => {
            const deltas = counterTables[table].counters.map(() => 1)
            return { table, app, date, from: -1, to: 3, rows: [{ key: keyOf(counterTables[table].key), deltas }] }
          }),
        )
        const visitors = dates.flatMap((date) =>
          visitorTableNames.map((table) => {
            const rows = Array.from({ length: date === dates[0] ? 3_000 : 3 }, (_, index) => {
              return { key: keyOf(visitorTables[table].key), visitor: { user: '', device: `${lease.lane} d${index}` } }
            })
            return { table, app, date, rows }
          }),
        )
        const seen = dates.flatMap((date) => {
          const row = { event_id: `e ${date}`, position: 1 }
          return [
            { app, date, rows: [{ ...row, fate: 'accepted' as const, reason: 'new' as const }] },
            {
              ...rejectedPartition(app, date),
              rows: [{ ...row, fate: 'rejected' as const, reason: 'too_old' as const }],
            },
          ]
        })
        await apply(lease, { counters, visitors, seen })
      }
    }
    /** Names the tables that have something on each date, in a lane. */
    async function found(app: string, lane: number): Promise<string[]> {
      const { reader } = storage
      const all: string[] = []
      for (const date of dates) {
        for (const table of counterTableNames)
          if ((await reader.counterPartition(lane, { table, app, date })).length > 0) all.push(`${date} ${table}`)
        for (const table of visitorTableNames)
          if ((await reader.visitorPartition(lane, { table, app, date })).length > 0) all.push(`${date} ${table}`)
        for (const partition of [{ app, date }, rejectedPartition(app, date)])
          if ((await reader.seen(lane, partition, [`e ${date}`])).size > 0)
            all.push(`${date} ${partition.app === app ? 'seen' : 'rejected'}`)
      }
      return all.sort()
    }
    async function expire(lease: Lease, app: string, date: string, tables: ExpiredTables): Promise<void> {
      for (let more = true; more;) more = await storage.writer.expire(lease, { app, date }, tables)
    }

    it('removes the tables of a date in one lane, by the date of events and by that of receipt', async () => {
      const app = randomUUID()
      await filled(app)
      const [before, other] = [await found(app, 0), await found(app, 1)]
      expect(before).toHaveLength(3 * (counterTableNames.length + visitorTableNames.length + 2))
      for (let times = 0; times < 2; times++) await expire(leases[0]!, app, dates[0]!, 'counted')
      const received = [`${dates[0]} fates_by_date`, `${dates[0]} rejected`]
      const ids = `${dates[0]} seen`
      const isLeft = (row: string): boolean => !row.startsWith(dates[0]!) || row === ids
      expect(await found(app, 0)).toEqual(before.filter((row) => isLeft(row) || received.includes(row)))
      for (let times = 0; times < 2; times++) await expire(leases[0]!, app, dates[0]!, 'received')
      expect(await found(app, 0)).toEqual(before.filter(isLeft))
      expect(await found(app, 1)).toEqual(other)
      const partitions = counterTableNames.map((table) => ({ table, app, date: dates[0]! }))
      expect(await storage.writer.applied(0, partitions)).toEqual(partitions.map(() => -1))
    })

    it('is visible to readers that have read the numbers before', async () => {
      const app = randomUUID()
      await filled(app)
      const { reader } = storage
      const read = async (): Promise<unknown[]> => {
        const query = { table: 'users_by_date' as const, app, dates, prefix: [0], groupBy: ['date'] }
        const rows = await reader.counters('activity_by_date', app, dates)
        return [
          rows.map(({ date }) => date),
          (await reader.uniques({ ...query, countBy: 'device' })).map(({ users }) => users),
        ]
      }
      expect(await read()).toEqual([dates, [6_000, 6, 6]])
      for (const lease of leases) await expire(lease, app, dates[0]!, 'counted')
      expect(await read()).toEqual([dates.slice(1), [6, 6]])
    })

    it('lists the dates that may have rows', async () => {
      const app = randomUUID()
      await filled(app)
      const { writer } = storage
      expect(await writer.datesOf(0, app, '', '2026-03-01')).toEqual(dates.slice(0, 2))
      expect(await writer.datesOf(0, app, dates[1]!, '2026-12-31')).toEqual(dates.slice(1))
      expect(await writer.datesOf(0, randomUUID(), '', '2026-12-31')).toEqual([])
    })

    it('refuses an expired lease', async () => {
      const late = { ...leases[0]!, expiresAt: 0 }
      await expect(storage.writer.expire(late, { app: randomUUID(), date: dates[0]! }, 'counted')).rejects.toThrow()
    })

    it('removes sessions that are over, and names those that reach further', async () => {
      const app = randomUUID()
      const sessionOf = (session_id: string, start: number, end: number, first: number, last: number) => ({
        ...{ app, session_id, device: 'd', user: '' },
        ...{ start: start * DAY_MS, end: end * DAY_MS, first_position: first, last_position: last },
      })
      await apply(leases[0]!, {
        sessions: [
          sessionOf('over', 40, 41, 0, 1),
          sessionOf('reaching', 41, 60, 2, 3),
          sessionOf('later', 50, 60, 4, 5),
        ],
      })
      const ids = ['over', 'reaching', 'later', 'never']
      for (let times = 0; times < 2; times++)
        expect(await storage.writer.expireSessions(leases[0]!, app, ids, 50 * DAY_MS)).toEqual(['reaching'])
      const read = async (id: string): Promise<boolean> => (await storage.reader.session(app, id)) !== undefined
      expect(await Promise.all(ids.map(read))).toEqual([false, true, true, false])
      await apply(leases[0]!, { sessions: [sessionOf('over', 70, 71, 8, 9)] })
      expect(await storage.reader.session(app, 'over')).toMatchObject({ start: 70 * DAY_MS, end: 71 * DAY_MS })
    })

    it('lists the devices that have identities', async () => {
      const app = randomUUID()
      const identities = Array.from({ length: 30 }, (_, index) => ({
        app,
        device: `d${index % 20}`,
        user: `u${index}`,
        place: index,
      }))
      await apply(leases[0]!, { identities })
      const devices = new Set<string>()
      for await (const some of storage.writer.devicesWithIdentities(0, app)) for (const each of some) devices.add(each)
      expect([...devices].sort()).toEqual([...new Set(identities.map(({ device }) => device))].sort())
    })
  })
}
