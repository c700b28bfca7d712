import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, inject, it, vi } from 'vitest'
import '../../contract/engines.ts'
import type { FirstSeen, SeenChange } from '../../ports/tables.ts'
import { connectedTo } from '../testing/connected.fixture.ts'
import { ownKeyspace } from '../testing/own-keyspace.fixture.ts'
import { SeenIds } from './seen-ids.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const engines = inject('engines')
const date = '2026-03-28'
const keyspace = ownKeyspace(engines)

describe.skipIf(!engines)('ids that a lane has seen, on Cassandra', () => {
  const client = connectedTo(keyspace)

  async function write(store: SeenIds, app: string, rows: SeenChange['rows'], lane = 1): Promise<void> {
    for (const batch of store.writes({ lane, seen: [{ app, date, rows }] }))
      await client().batch(batch, { prepare: true, logged: false })
  }

  async function all(store: SeenIds, app: string, lane = 1): Promise<string[]> {
    const found = new Set<string>()
    for await (const page of store.ids(lane, { app, date })) for (const id of page) found.add(id)
    return [...found]
  }

  it('are found, packed or not, however the batches are cut when they are redelivered', async () => {
    const cuts = fc.array(
      fc.record({ from: fc.nat(90), length: fc.integer({ min: 1, max: 60 }), packed: fc.boolean() }),
      { minLength: 1, maxLength: 6 },
    )
    await fc.assert(
      fc.asyncProperty(
        cuts,
        fc.uniqueArray(fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 9 })), {
          minLength: 60,
          maxLength: 100,
        }),
        async (batches, ids) => {
          const app = randomUUID()
          const rows = ids.map((event_id, index) => ({
            event_id,
            position: index >> 1,
            fate: index % 7 === 0 ? ('late' as const) : ('accepted' as const),
            reason: index % 7 === 0 ? ('after_settled' as const) : ('new' as const),
          }))
          const expected = new Map<string, FirstSeen>()
          for (const { from, length, packed } of batches) {
            const batch = rows.slice(from, from + length)
            if (batch.length === 0) continue
            await write(new SeenIds(client(), packed ? 1 : Infinity), app, batch)
            for (const { event_id, ...seen } of batch) expected.set(event_id, seen)
          }
          const store = new SeenIds(client())
          expect(await store.find(1, { app, date }, [...ids, randomUUID()])).toEqual(expected)
          expect((await all(store, app)).sort()).toEqual([...expected.keys()].sort())
          expect(await store.find(0, { app, date }, ids)).toEqual(new Map())
          expect(await all(store, app, 0)).toEqual([])
        },
      ),
      { numRuns: 12 },
    )
  })

  it('stay in the bucket given by their text, narrower the more ids there are, and are found in each', async () => {
    const app = randomUUID()
    const store = new SeenIds(client(), 1)
    const rowOf = (event_id: string, position: number): SeenChange['rows'][number] => ({
      event_id,
      position,
      fate: 'accepted',
      reason: 'new',
    })
    // Only builds the writes, so that the ids are counted.
    const more = (count: number): unknown =>
      store.writes({
        lane: 1,
        seen: [{ app, date, rows: Array.from({ length: count }, (_, index) => rowOf(String(index), index)) }],
      })
    const ids = ['ff', 'fe', 'fd', 'fc'].map((end) => `00112233-4455-6677-8899-aabbccddee${end}`)
    await write(store, app, [rowOf(ids[0]!, 2)])
    more(4_095)
    await write(store, app, [rowOf(ids[1]!, 3)])
    more(58_403)
    await write(store, app, [rowOf(ids[2]!, 4)])
    more(187_499)
    await write(store, app, [rowOf(ids[3]!, 5)])
    const rows = (
      await client().execute(
        'SELECT bucket, first_position, last_position, part FROM seen_blocks_by_date ' +
          'WHERE app = ? AND date = ? AND lane = 1',
        [app, date],
        { prepare: true },
      )
    ).rows
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { bucket: 252, first_position: 5n, last_position: 5n, part: 0 },
      { bucket: 319, first_position: 4n, last_position: 4n, part: 0 },
      { bucket: 335, first_position: 3n, last_position: 3n, part: 0 },
      { bucket: 336, first_position: 2n, last_position: 2n, part: 0 },
    ])
    expect([...(await new SeenIds(client()).find(1, { app, date }, ids)).keys()].sort()).toEqual([...ids].sort())
  })

  it('take one row each in a small batch, and one row for many in a large batch', async () => {
    const app = randomUUID()
    const rows = Array.from({ length: 6_000 }, (_, position) => ({
      event_id: randomUUID(),
      position,
      fate: 'accepted' as const,
      reason: 'new' as const,
    }))
    const statements = (some: SeenChange['rows']): number =>
      new SeenIds(client()).writes({ lane: 0, seen: [{ app, date, rows: some }] }).flat().length
    expect(statements(rows.slice(0, 15))).toBe(15)
    expect(statements(rows.slice(0, 500))).toBe(1)
    expect(statements(rows)).toBeLessThanOrEqual(16)
  })
})
