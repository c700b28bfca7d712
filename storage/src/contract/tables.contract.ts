import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { personKey, type Visitor } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../ports/storage.ts'
import { emptyBatch, type LaneBatch, type Lease, type SessionChange } from '../ports/tables.ts'

const dates = ['2026-03-28', '2026-03-29']

interface View {
  readonly date: number
  readonly page: number
  readonly elapsed: number
}

/** The contract of every tables adapter. The store may contain anything already: each test uses its own app. */
export function tablesContract(name: string, make: () => Promise<Storage>): void {
  describe(`tables on ${name}`, () => {
    let storage: Storage
    let lease: Lease
    let second: Lease
    beforeAll(async () => {
      storage = await make()
      lease = await storage.lanes.acquire(0, randomUUID())
      second = await storage.lanes.acquire(1, randomUUID())
    })
    afterAll(async () => {
      await storage.lanes.release(lease)
      await storage.lanes.release(second)
      await storage.close()
    })
    const apply = (held: Lease, batch: Partial<LaneBatch>): Promise<void> =>
      storage.writer.apply(held, { ...emptyBatch, ...batch, lane: held.lane })

    async function deliver(app: string, views: readonly View[], start: number, end: number): Promise<void> {
      const partitions = dates.map((date) => ({ table: 'page_views_by_date' as const, app, date }))
      const applied = await storage.writer.applied(lease.lane, partitions)
      const counters = partitions.flatMap((partition, date) => {
        const from = applied[date]!
        const fresh = views
          .map((view, position) => ({ ...view, position }))
          .slice(start, end)
          .filter((v) => v.date === date && v.position > from)
        const rows = fresh.map(({ page, elapsed }) => ({ key: [`/${page}`], deltas: [1, elapsed, 0] }))
        return rows.length > 0 ? [{ ...partition, from, to: fresh.at(-1)!.position, rows }] : []
      })
      await apply(lease, { counters })
    }

    it('counts every message once, however batches are cut and however often they are delivered', async () => {
      const view = fc.record({ date: fc.nat(1), page: fc.nat(3), elapsed: fc.nat(1000) })
      const cuts = fc.array(fc.tuple(fc.nat(29), fc.nat(12)), { maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(fc.array(view, { minLength: 1, maxLength: 30 }), cuts, async (views, deliveries) => {
          const app = randomUUID()
          let next = 0
          for (const [back, length] of deliveries) {
            const start = Math.max(0, next - back)
            next = Math.max(next, Math.min(views.length, start + length))
            await deliver(app, views, start, start + length)
          }
          await deliver(app, views, 0, views.length)
          const recount = new Map<string, number[]>()
          for (const { date, page, elapsed } of views) {
            const sum = recount.get(`${dates[date]}/${page}`) ?? [0, 0, 0]
            recount.set(`${dates[date]}/${page}`, [sum[0]! + 1, sum[1]! + elapsed, 0])
          }
          const rows = await storage.reader.counters('page_views_by_date', app, dates)
          expect(new Map(rows.map((row) => [`${row.date}${row.key[0]}`, row.counters]))).toEqual(recount)
        }),
        { numRuns: 15 },
      )
    })

    it('refuses a change that does not continue from the watermark, and counts nothing of it', async () => {
      const app = randomUUID()
      const change = {
        table: 'clicks_by_date' as const,
        app,
        date: dates[0]!,
        from: -1,
        to: 4,
        rows: [{ key: ['/', '//a'], deltas: [1, 7] }],
      }
      await apply(lease, { counters: [change] })
      await expect(apply(lease, { counters: [change] })).rejects.toThrow()
      expect(await storage.reader.counters('clicks_by_date', app, dates)).toEqual([
        { date: dates[0], key: ['/', '//a'], counters: [1, 7] },
      ])
      expect(await storage.writer.applied(0, [change])).toEqual([4])
    })

    it('gives a date a new version with every change of it, and no other date', async () => {
      const app = randomUUID()
      const earlier = new Set<string | undefined>()
      const read = async (): Promise<readonly (string | undefined)[]> => {
        const versions = await storage.reader.versions(app, dates)
        return dates.map((date) => versions.get(date))
      }
      expect(await read()).toEqual([undefined, undefined])
      const counted = (appId: string, from: number, to: number) => ({
        table: 'activity_by_date' as const,
        app: appId,
        date: dates[0]!,
        from,
        to,
        rows: [{ key: [1], deltas: [1, 1] }],
      })
      const visitors = [
        {
          table: 'users_by_date' as const,
          app,
          date: dates[0]!,
          rows: [{ key: [-1], visitor: { user: '', device: 'd' } }],
        },
      ]
      const changes: (() => Promise<void>)[] = [
        () => apply(lease, { counters: [counted(app, -1, 3)] }),
        () => apply(second, { counters: [counted(app, -1, 3)] }),
        () => apply(lease, { counters: [counted(app, 3, 3)] }),
        () => apply(lease, { visitors }),
        () => storage.writer.removeVisitors(lease, visitors),
      ]
      for (const change of changes) {
        await change()
        const [version, other] = await read()
        expect(earlier.has(version)).toBe(false)
        expect([typeof version, other]).toEqual(['string', undefined])
        earlier.add(version)
        await apply(lease, { counters: [counted(randomUUID(), -1, 0)] })
        expect(await read()).toEqual([version, undefined])
      }
    })

    it('refuses an expired lease before it writes', async () => {
      const app = randomUUID()
      const change = {
        table: 'activity_by_date' as const,
        app,
        date: dates[0]!,
        from: -1,
        to: 0,
        rows: [{ key: [1], deltas: [1, 1] }],
      }
      await expect(apply({ ...lease, expiresAt: 0 }, { counters: [change] })).rejects.toThrow()
      expect(await storage.writer.applied(0, [change])).toEqual([-1])
    })

    it('sums counters over lanes, below a prefix of the key', async () => {
      const app = randomUUID()
      const rows = [
        { key: ['f', 1], deltas: [10, 1] },
        { key: ['g', 1], deltas: [5, 1] },
      ]
      for (const held of [lease, second])
        await apply(held, { counters: [{ table: 'stage_time_by_date', app, date: dates[0]!, from: -1, to: 0, rows }] })
      expect(await storage.reader.counters('stage_time_by_date', app, dates, ['f'])).toEqual([
        { date: dates[0], key: ['f', 1], counters: [20, 2] },
      ])
    })

    it('reads one partition of one lane, and accepts a correction that leaves its watermark unchanged', async () => {
      const app = randomUUID()
      const partition = { table: 'stage_time_by_date' as const, app, date: dates[0]! }
      const add = (held: Lease, from: number, to: number, deltas: number[]): Promise<void> =>
        apply(held, { counters: [{ ...partition, from, to, rows: [{ key: ['f', 1], deltas }] }] })
      await add(lease, -1, 4, [10, 1])
      await add(second, -1, 7, [5, 1])
      expect(await storage.reader.counterPartition(0, partition)).toEqual([{ key: ['f', 1], counters: [10, 1] }])
      await add(lease, 4, 4, [-3, 1])
      expect(await storage.reader.counterPartition(0, partition)).toEqual([{ key: ['f', 1], counters: [7, 2] }])
      expect(await storage.writer.applied(0, [partition])).toEqual([4])
      const untouched = { ...partition, date: dates[1]! }
      await apply(lease, { counters: [{ ...untouched, from: -1, to: -1, rows: [{ key: ['f', 1], deltas: [2, 1] }] }] })
      expect(await storage.writer.applied(0, [untouched])).toEqual([-1])
      expect(await storage.reader.counterPartition(0, untouched)).toEqual([{ key: ['f', 1], counters: [2, 1] }])

      const visitor = { user: '', device: 'd' }
      for (const held of [lease, second, lease])
        await apply(held, {
          visitors: [{ table: 'users_by_date', app, date: dates[0]!, rows: [{ key: [3], visitor }] }],
        })
      expect(await storage.reader.visitorPartition(1, { table: 'users_by_date', app, date: dates[0]! })).toEqual([
        { key: [3], visitor },
      ])
      expect(await storage.reader.visitorPartition(1, { table: 'users_by_date', app, date: dates[1]! })).toEqual([])
    })

    it('returns rows in one order: texts by code point, numbers by value, whatever they contain', async () => {
      const text = fc.oneof(
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.constantFrom(
          '',
          'a',
          'ab',
          'B',
          'ä',
          '\u{ffff}',
          '\u{10000}',
          '\u{1f600}',
          '\ue000',
          '1',
          '10',
          '9',
          '__proto__',
        ),
      )
      const key = fc.tuple(text, text, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
      const order = (
        [a, b, x]: readonly [string, string, number],
        [c, d, y]: readonly [string, string, number],
      ): number =>
        Buffer.compare(Buffer.from(a), Buffer.from(c)) || Buffer.compare(Buffer.from(b), Buffer.from(d)) || x - y
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(key, { selector: (each) => JSON.stringify(each), minLength: 1, maxLength: 20 }),
          async (keys) => {
            const app = randomUUID()
            const sorted = [...keys].sort(order)
            const counted = keys.map((each) => ({ key: each, deltas: [1] }))
            await apply(lease, {
              counters: [{ table: 'element_durations_by_date', app, date: dates[0]!, from: -1, to: 0, rows: counted }],
            })
            expect(
              (await storage.reader.counters('element_durations_by_date', app, dates)).map((row) => row.key),
            ).toEqual(sorted)
            const visited = keys.map(([kind, value]) => ({ key: [kind, value], visitor: { user: '', device: 'd' } }))
            await apply(lease, { visitors: [{ table: 'agents_by_date', app, date: dates[0]!, rows: visited }] })
            const groups = await storage.reader.uniques({
              table: 'agents_by_date',
              app,
              dates,
              prefix: [],
              groupBy: ['kind', 'value'],
              countBy: 'device',
            })
            const distinct = new Map(
              sorted.map(([kind, value]) => [JSON.stringify([kind, value]), { group: [kind, value], users: 1 }]),
            )
            expect(groups).toEqual([...distinct.values()])
          },
        ),
        {
          numRuns: 15,
          examples: [
            [
              ['\u{10000}', '\uffff', '\ue000', 'a', 'ab', 'B', ''].map(
                (each) => [each, each, each.length - 1] as [string, string, number],
              ),
            ],
          ],
        },
      )
    })

    it('keeps the smallest first position of an id', async () => {
      const app = randomUUID()
      const seen = (position: number): Partial<LaneBatch> => ({
        seen: [{ app, date: dates[0]!, rows: [{ event_id: 'e', position, fate: 'accepted', reason: 'new' }] }],
      })
      for (const position of [5, 9, 3, 5]) await apply(lease, seen(position))
      expect([...(await storage.writer.firstPositions(0, { app, date: dates[0]! }, ['e', 'never']))]).toEqual([
        ['e', 3],
      ])
      expect([...(await storage.reader.seen(0, { app, date: dates[0]! }, ['e', 'never']))]).toEqual([
        ['e', { position: 3, fate: 'accepted', reason: 'new' }],
      ])
    })

    it('keeps the smallest first position of an id that is repeated in a batch of another size', async () => {
      const partition = { app: randomUUID(), date: dates[0]! }
      const rejected = { fate: 'rejected' as const, reason: 'too_old' as const }
      const seen = (ids: readonly string[], position: number): Partial<LaneBatch> => ({
        seen: [{ ...partition, rows: ids.map((event_id) => ({ event_id, position, ...rejected })) }],
      })
      const ids = Array.from({ length: 600 }, () => randomUUID())
      const [early, late] = [ids[0]!, ids[1]!]
      await apply(lease, seen([late], 2))
      await apply(lease, seen(ids, 5))
      await apply(lease, seen([early], 9))
      const expected = new Map([
        [early, 5],
        [late, 2],
      ])
      expect(await storage.writer.firstPositions(0, partition, [early, late])).toEqual(expected)
      const found = await storage.reader.seen(0, partition, [early, late])
      expect(new Map([...found].map(([id, { position }]) => [id, position]))).toEqual(expected)
    })

    it('returns all ids of a partition, even if there are many', async () => {
      const app = randomUUID()
      const ids = Array.from({ length: 12_000 }, (_, index) => `e${index}`)
      const rows = ids.map((event_id, position) => ({
        event_id,
        position,
        fate: 'accepted' as const,
        reason: 'new' as const,
      }))
      for (let start = 0; start < rows.length; start += 3_000)
        await apply(lease, { seen: [{ app, date: dates[0]!, rows: rows.slice(start, start + 3_000) }] })
      await apply(second, { seen: [{ app, date: dates[0]!, rows: rows.slice(0, 1) }] })
      const readIds = async (lane: number, date: string): Promise<string[]> => {
        const found: string[] = []
        for await (const page of storage.writer.seenIds(lane, { app, date })) found.push(...page)
        return found.sort()
      }
      expect(await readIds(0, dates[0]!)).toEqual(ids.sort())
      expect(await readIds(1, dates[0]!)).toEqual(['e0'])
      expect(await readIds(0, dates[1]!)).toEqual([])
    })

    it('returns the identity of a device before a place, however often it is written', async () => {
      const app = randomUUID()
      const identified = (user: string, place: number): Partial<LaneBatch> => ({
        identities: [{ app, device: 'd', user, place }],
      })
      for (const batch of [identified('b', 7), identified('a', 2), identified('b', 7)]) await apply(lease, batch)
      const before = async (place: number): Promise<unknown> => [
        ...(await storage.writer.identities(app, ['d', 'x'], place)),
      ]
      expect(await before(8)).toEqual([['d', { user: 'b', place: 7 }]])
      expect(await before(7)).toEqual([['d', { user: 'a', place: 2 }]])
      expect(await before(2)).toEqual([])
      const devices = async (lane: number): Promise<string[]> => {
        const found: string[] = []
        for await (const page of storage.writer.identifiedDevices!(lane, app)) found.push(...page)
        return found
      }
      if (storage.writer.identifiedDevices) expect([await devices(0), await devices(1)]).toEqual([['d'], []])
    })

    it('returns start, end and user of a session, however batches are cut and redelivered', async () => {
      const moment = fc.record({
        session: fc.nat(2),
        time: fc.nat(50).map((days) => Date.UTC(2026, 1, 20) + days * 86_400_000),
        user: fc.constantFrom('', 'a', 'b'),
      })
      const cuts = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { maxLength: 8 })
      await fc.assert(
        fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 20 }), cuts, async (moments, deliveries) => {
          const app = randomUUID()
          const sessionsOf = (start: number, end: number): SessionChange[] =>
            [0, 1, 2].flatMap((session) => {
              const own = moments
                .slice(start, end)
                .flatMap((each, index) => (each.session === session ? [{ ...each, position: start + index }] : []))
              const times = own.map(({ time }) => time)
              const [start_, end_] = [Math.min(...times), Math.max(...times)]
              const last = own.findLast(({ time }) => time === end_)
              return last
                ? [
                    {
                      app,
                      session_id: `s${session}`,
                      start: start_,
                      end: end_,
                      device: 'd',
                      user: last.user,
                      first_position: own[0]!.position,
                      last_position: own.at(-1)!.position,
                    },
                  ]
                : []
            })
          let next = 0
          for (const [back, length] of [...deliveries, [0, moments.length] as const]) {
            // A consumer that resumes earlier continues from there.
            const start = Math.max(0, next - back)
            next = Math.min(moments.length, start + length)
            await apply(lease, { sessions: sessionsOf(start, next) })
          }
          const whole = sessionsOf(0, moments.length).map(({ session_id, start, end, device, user }) => [
            session_id,
            { start, end, device, user },
          ])
          expect(
            await Promise.all(whole.map(async ([id]) => [id, await storage.reader.session(app, id as string)])),
          ).toEqual(whole)
          expect(await storage.reader.session(app, 'never')).toBeUndefined()
        }),
        { numRuns: 40 },
      )
    })

    it('counts persons and devices exactly, over lanes and dates', async () => {
      const visit = fc.record({
        date: fc.nat(1),
        lane: fc.nat(1),
        user: fc.constantFrom('', '', 'a', 'd0'),
        device: fc.constantFrom('d0', 'd1', 'd2', 'd3'),
      })
      await fc.assert(
        fc.asyncProperty(fc.array(visit, { minLength: 1, maxLength: 15 }), async (visits) => {
          const app = randomUUID()
          await apply(lease, {
            identities: [
              { app, device: 'd1', user: 'b', place: 9 },
              { app, device: 'd1', user: 'a', place: 2 },
            ],
          })
          for (const held of [lease, second, lease]) {
            const selected = visits.filter((v) => v.lane === held.lane)
            await apply(held, {
              visitors: selected.map((v) => ({
                table: 'users_by_date',
                app,
                date: dates[v.date]!,
                rows: [{ key: [3], visitor: v }],
              })),
            })
          }
          const query = { table: 'users_by_date' as const, app, dates, prefix: [], groupBy: [] }
          const persons = new Set(visits.map((v: Visitor) => personKey(v, v.device === 'd1' ? 'a' : undefined)))
          expect(await storage.reader.uniques({ ...query, countBy: 'person' })).toEqual([
            { group: [], users: persons.size },
          ])
          expect(await storage.reader.uniques({ ...query, countBy: 'device' })).toEqual([
            { group: [], users: new Set(visits.map((v) => v.device)).size },
          ])
        }),
        { numRuns: 10 },
      )
    })

    it('includes visitors and identities that were written after an earlier result', async () => {
      const app = randomUUID()
      const query = { table: 'stage_users_by_date' as const, app, dates, prefix: ['f'], groupBy: ['stage'] }
      const counted = async (countBy: 'person' | 'device'): Promise<unknown> =>
        (await storage.reader.uniques({ ...query, countBy })).map((row) => [...row.group, row.users])
      const enter = (
        held: Lease,
        date: number,
        stage: number,
        device: string,
        user = '',
        funnel = 'f',
      ): Promise<void> =>
        apply(held, {
          visitors: [
            {
              table: 'stage_users_by_date',
              app,
              date: dates[date]!,
              rows: [{ key: [funnel, stage], visitor: { user, device } }],
            },
          ],
        })
      expect(await counted('person')).toEqual([])
      await enter(lease, 0, 1, 'd1')
      await enter(second, 0, 1, 'd2')
      expect(await counted('person')).toEqual([[1, 2]])
      await enter(second, 1, 1, 'd3', 'a')
      await enter(lease, 1, 2, 'd1')
      await enter(lease, 1, 3, 'd1', '', 'g')
      expect(await counted('person')).toEqual([
        [1, 3],
        [2, 1],
      ])
      await apply(lease, { identities: [{ app, device: 'd1', user: 'a', place: 5 }] })
      expect(await counted('person')).toEqual([
        [1, 2],
        [2, 1],
      ])
      await apply(second, { identities: [{ app, device: 'd2', user: 'a', place: 5 }] })
      expect(await counted('person')).toEqual([
        [1, 1],
        [2, 1],
      ])
      expect(await counted('device')).toEqual([
        [1, 3],
        [2, 1],
      ])
      expect(
        await storage.reader.uniques({ ...query, dates: dates.slice(0, 1), groupBy: ['date'], countBy: 'device' }),
      ).toEqual([{ group: [dates[0]], users: 2 }])
    })
  })
}
