import { randomUUID } from 'node:crypto'
import { emptyBatch, type SeenChange } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openLane, type LaneStore } from '../testing/lane.fixture.ts'
import { SeenFilters } from './seen-filters.ts'

let lane: LaneStore
beforeAll(async () => void (lane = await openLane(openEmbedded)))
afterAll(() => lane[Symbol.asyncDispose]())

const date = '2026-06-15'
const change = (app: string, ids: readonly string[]): SeenChange => ({
  app,
  date,
  rows: ids.map((event_id, position) => ({ event_id, position, fate: 'accepted', reason: 'new' })),
})
async function write(seen: SeenChange): Promise<void> {
  const { writer, lanes } = lane.storage
  await writer.apply(await lanes.acquire(0, 'test'), { ...emptyBatch, lane: 0, seen: [seen] })
}
const ids = (count: number): string[] => Array.from({ length: count }, () => randomUUID())

it('needs no look-up for a new date, and answers maybe for ids that were added', async () => {
  const filters = new SeenFilters(lane.storage.writer)
  const app = randomUUID()
  const [known, fresh] = [ids(50), ids(50)]
  expect(await filters.maybeSeen(0, { app, date }, known)).toEqual([])
  expect(await filters.testAndAdd(0, { app, date }, [...known, known[7]!])).toEqual([known[7]])
  expect(await filters.maybeSeen(0, { app, date }, [...known, ...fresh])).toEqual(known)
  expect(await filters.maybeSeen(0, { app, date: '2026-06-16' }, known)).toEqual([])
  expect(await filters.maybeSeen(1, { app, date }, known)).toEqual([])
})

it('answers maybe for every id until it has read the whole store, a page at a time', async () => {
  const app = randomUUID()
  const [known, fresh] = [ids(6_000), ids(100)]
  await write(change(app, known))
  const filters = new SeenFilters(lane.storage.writer)
  expect(await filters.testAndAdd(0, { app, date }, fresh)).toEqual(fresh)
  // Ids that are written during the read may be missing in its result.
  const meanwhile = ids(10)
  filters.add(0, { app, date }, meanwhile)
  const others = ids(100)
  let maybe: readonly string[] = others
  for (let touch = 0; touch < 3; touch++) maybe = await filters.maybeSeen(0, { app, date }, others)
  expect(maybe.length).toBeLessThan(5)
  const all = [...known, ...fresh, ...meanwhile]
  expect(await filters.maybeSeen(0, { app, date }, all)).toEqual(all)
})

it('drops the least recently used filter when memory is full, and filters of lanes with another owner', async () => {
  const filters = new SeenFilters(lane.storage.writer, 20_000)
  const apps = Array.from({ length: 10 }, () => randomUUID())
  const known = ids(100)
  for (const app of apps) {
    await filters.testAndAdd(0, { app, date }, known)
    await write(change(app, known))
    expect(filters.bytes).toBeLessThanOrEqual(20_000)
  }
  for (const app of apps) expect(await filters.maybeSeen(0, { app, date }, known)).toEqual(known)
  filters.forget(0)
  expect(filters.bytes).toBe(0)
  const elsewhere = ids(5)
  await write(change(apps[0]!, elsewhere))
  expect(await filters.maybeSeen(0, { app: apps[0]!, date }, elsewhere)).toEqual(elsewhere)
})

it('does not treat a failed read as complete', async () => {
  const app = randomUUID()
  const known = ids(3)
  await write(change(app, known))
  let fails = true
  const { writer } = lane.storage
  const filters = new SeenFilters({
    async *seenIds(...args) {
      if (fails) throw new Error('the store is unavailable')
      yield* writer.seenIds(...args)
    },
  })
  await expect(filters.maybeSeen(0, { app, date }, known)).rejects.toThrow('unavailable')
  fails = false
  expect(await filters.maybeSeen(0, { app, date }, known)).toEqual(known)
})
