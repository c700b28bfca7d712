import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../ports/storage.ts'
import { emptyBatch, type LaneBatch, type Lease, type SessionChange } from '../ports/tables.ts'

const dates = ['2026-03-28', '2026-03-29']

/** The contract of every tables adapter about removals. */
export function removalsContract(name: string, make: () => Promise<Storage>): void {
  describe(`removals from tables on ${name}`, () => {
    let storage: Storage
    let lease: Lease
    beforeAll(async () => {
      storage = await make()
      lease = await storage.lanes.acquire(0, randomUUID())
    })
    afterAll(async () => {
      await storage.lanes.release(lease)
      await storage.close()
    })
    const apply = (held: Lease, batch: Partial<LaneBatch>): Promise<void> =>
      storage.writer.apply(held, { ...emptyBatch, ...batch, lane: held.lane })

    it('removes identities of a device by place, and counts those that come later', async () => {
      const app = randomUUID()
      const { reader, writer } = storage
      const query = { table: 'users_by_date' as const, app, dates, prefix: [], groupBy: [], countBy: 'person' as const }
      const persons = async (): Promise<number> => (await reader.uniques(query))[0]?.users ?? 0
      const rows = [
        { key: [3], visitor: { user: '', device: 'd' } },
        { key: [3], visitor: { user: 'b', device: 'other' } },
        { key: [3], visitor: { user: 'c', device: 'third' } },
      ]
      const identify = (user: string, place: number, generation = 0): Promise<void> =>
        apply(lease, { identities: [{ app, device: 'd', user, place, ...(generation > 0 && { generation }) }] })
      await apply(lease, { visitors: [{ table: 'users_by_date', app, date: dates[0]!, rows }] })
      for (const [user, place] of [
        ['a', 2],
        ['b', 7],
        ['a', 9],
        ['b', 11],
      ] as const)
        await identify(user, place)
      expect(await persons()).toBe(3)
      const remove = (from: number, to: number, generation: number): Promise<void> =>
        writer.removeIdentities(lease, { app, device: 'd', ranges: [[from, to]], generation })
      for (let times = 0; times < 2; times++) await remove(0, 5, 1)
      expect(await reader.identitiesOf(app, 'd')).toEqual([
        { user: 'b', place: 7 },
        { user: 'a', place: 9 },
        { user: 'b', place: 11 },
      ])
      expect([await reader.devicesOf(app, 'a', 5), await reader.devicesOf(app, 'b', 5)]).toEqual([['d'], ['d']])
      expect(await persons()).toBe(2)
      await remove(9, 10, 2)
      expect(await reader.identitiesOf(app, 'd')).toEqual([{ user: 'b', place: 7 }])
      expect(await reader.devicesOf(app, 'a', 5)).toEqual([])
      await remove(0, 100, 3)
      expect(await reader.identitiesOf(app, 'd')).toEqual([])
      expect(await reader.devicesOf(app, 'b', 5)).toEqual([])
      expect(await persons()).toBe(3)
      await identify('c', 200, 3)
      expect(await persons()).toBe(2)
      await identify('b', 150, 3)
      expect((await writer.identities(app, ['d'], 180)).get('d')).toEqual({ user: 'b', place: 150 })
      expect(await persons()).toBe(2)
    })

    it('replaces ids at their positions, of small and of large batches', async () => {
      const app = randomUUID()
      const partition = { app, date: dates[0]! }
      const ids = Array.from({ length: 3_000 }, (_, index) => (index % 3 === 0 ? randomUUID() : `id ${index}`))
      const seen = (some: readonly string[], first: number): Promise<void> => {
        const rows = some.map((event_id, index) => ({
          event_id,
          position: first + index,
          fate: 'late' as const,
          reason: 'after_settled' as const,
        }))
        return apply(lease, { seen: [{ ...partition, rows }] })
      }
      await seen(ids.slice(0, 2_990), 0)
      await seen(ids.slice(2_990), 2_990)
      const gone = ids.filter((_, index) => index % 7 === 0 || index > 2_995)
      const replacements = [...gone, 'never'].map((event_id) => ({ event_id, by: `hash of ${event_id}` }))
      for (let times = 0; times < 2; times++) await storage.writer.replaceSeen(lease, partition, replacements)
      const found = await storage.writer.firstPositions(0, partition, [...ids, ...replacements.map(({ by }) => by)])
      const removed = new Set(gone)
      expect(new Map([...found].sort())).toEqual(
        new Map(ids.map((id, index): [string, number] => [removed.has(id) ? `hash of ${id}` : id, index]).sort()),
      )
      const all: string[] = []
      for await (const page of storage.writer.seenIds(0, partition)) all.push(...page)
      expect([...new Set(all)].sort()).toEqual([...found.keys()].sort())
    })

    it('removes ids without a trace, of small and of large batches', async () => {
      const partition = { app: randomUUID(), date: dates[0]! }
      const ids = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? randomUUID() : `id ${index}`))
      const seen = (some: readonly string[], first: number): Promise<void> => {
        const verdict = { fate: 'rejected' as const, reason: 'too_old' as const }
        const rows = some.map((event_id, index) => ({ event_id, position: first + index, ...verdict }))
        return apply(lease, { seen: [{ ...partition, rows }] })
      }
      await seen(ids.slice(0, 290), 0)
      await seen(ids.slice(290), 290)
      const isGone = (index: number): boolean => index % 7 === 0 || index > 295
      const gone = [...ids.filter((_, index) => isGone(index)), 'never'].map((event_id) => ({ event_id }))
      for (let times = 0; times < 2; times++) await storage.writer.replaceSeen(lease, partition, gone)
      const kept = ids.flatMap((id, index): [string, number][] => (isGone(index) ? [] : [[id, index]]))
      expect(await storage.writer.firstPositions(0, partition, [...ids, 'never'])).toEqual(new Map(kept))
      const all: string[] = []
      for await (const page of storage.writer.seenIds(0, partition)) all.push(...page)
      expect([...new Set(all)].sort()).toEqual(kept.map(([id]) => id).sort())
    })

    it('replaces sessions by what is left of them, and continues with later changes', async () => {
      const app = randomUUID()
      const sessionOf = (
        session_id: string,
        start: number,
        end: number,
        first: number,
        last: number,
        user = '',
      ): SessionChange => ({
        ...{ app, session_id, device: 'd', user },
        ...{ start: start * 86_400_000, end: end * 86_400_000, first_position: first, last_position: last },
      })
      await apply(lease, {
        sessions: [sessionOf('a', 10, 20, 0, 3, 'u'), sessionOf('b', 10, 11, 1, 4), sessionOf('c', 50, 51, 2, 5)],
      })
      await apply(lease, { sessions: [sessionOf('a', 20, 70, 6, 9, 'v'), sessionOf('b', 11, 12, 7, 8)] })
      const replace = (): Promise<void> =>
        storage.writer.replaceSessions(lease, app, ['a', 'b', 'never'], [sessionOf('a', 10, 20, 0, 3, 'u')], 10)
      for (let times = 0; times < 2; times++) await replace()
      const read = async (id: string): Promise<unknown> => storage.reader.session(app, id)
      const session = (start: number, end: number, user: string): object => ({
        ...{ start: start * 86_400_000, end: end * 86_400_000, device: 'd', user },
      })
      expect([await read('a'), await read('b'), await read('c')]).toEqual([
        session(10, 20, 'u'),
        undefined,
        session(50, 51, ''),
      ])
      await apply(lease, { sessions: [sessionOf('a', 80, 90, 10, 11, 'w'), sessionOf('b', 80, 81, 12, 13)] })
      expect([await read('a'), await read('b')]).toEqual([session(10, 90, 'w'), session(80, 81, '')])
    })

    it('forgets rows whose counters are all zero after a correction', async () => {
      const app = randomUUID()
      const partition = { table: 'clicks_by_date' as const, app, date: dates[0]! }
      const count = (from: number, to: number, n: number): Promise<void> =>
        apply(lease, { counters: [{ ...partition, from, to, rows: [{ key: ['/', '//a'], deltas: [n, n * 7] }] }] })
      await count(-1, 4, 2)
      await count(4, 4, -2)
      expect(await storage.reader.counters('clicks_by_date', app, dates)).toEqual([])
      await count(4, 5, 1)
      expect(await storage.reader.counters('clicks_by_date', app, dates)).toEqual([
        { date: dates[0], key: ['/', '//a'], counters: [1, 7] },
      ])
    })
  })
}
