import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { HopperError, type Filter } from '@hopper/contracts'
import type { Archive, Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { ArchiveQueries } from './archive-queries.ts'
import { queryBounds } from './pool/query-pool.ts'
import type { QueryOf } from './query.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

const APP = 'a'
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const ROWS = 1_500
const context = { timezone: 'UTC', completeTo: T0 + 86_400_000 }
const somebody = { signal: new AbortController().signal }
const step = (filter: Filter): QueryOf<'funnel'> => ({
  kind: 'funnel',
  request: {
    from: T0,
    to: T0 + 3_600_000,
    window_ms: 3_600_000,
    steps: [
      { name: 'a', filters: [filter] },
      { name: 'b', filters: [] },
    ],
  },
})
const easy = step({ type: 'regex', key: 'text', value: 'a+.*' })
/** Takes minutes. */
const hostile = step({
  type: 'or',
  filters: Array.from({ length: 50 }, (_, i): Filter => ({ type: 'regex', key: 'text', value: `((a+)+b{${i}})+$` })),
})

let dir: string
let storage: Storage
let metrics: Registry
/** the lane whose columns cannot be read */
let broken: number | undefined
const opened: ArchiveQueries[] = []

/** Ten users with devices in both lanes and ten in each lane alone, with events at the same instants. */
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hopper-split-'))
  storage = await openEmbedded({ dir, lanes: 2 })
  broken = undefined
  for (const lane of [0, 1]) {
    const rows = Array.from({ length: ROWS }, (_, i): Sketch => ({
      device: `${lane}/${i % 50}`,
      user: `u${i % 20 < 10 ? '' : lane}/${i % 20}`,
      time: T0 + i,
      data: { text: `${'a'.repeat(2_000)}${lane}/${i}` },
    }))
    for (let part = 0; part < 3; part++) await archiveSketches(storage, APP, lane, DATE, part * 10_000, rows)
  }
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queries) => queries.onModuleDestroy()))
  await storage.close()
  rmSync(dir, { recursive: true })
})

/** Opens queries that may be split across two threads; the columns of the broken lane cannot be read. */
function open(limitMs: number, splitRowsMin = 0): ArchiveQueries {
  const whole = storage.archive!
  const archive: Archive = {
    covered: (...args) => whole.covered(...args),
    append: (...args) => whole.append(...args),
    purge: (...args) => whole.purge(...args),
    replace: (...args) => whole.replace(...args),
    list: (range) => whole.list(range),
    columns: (chunk, names) =>
      chunk.lane === broken && names.includes('timestamp')
        ? Promise.reject(new HopperError('HOP_STORE_UNAVAILABLE', 'The disk is unavailable.'))
        : whole.columns(chunk, names),
  }
  metrics = new Registry()
  const queries = new ArchiveQueries(archive, limitMs, metrics, {
    ...queryBounds,
    threadsMax: 3,
    threadsPerAppMax: 2,
    splitRowsMin,
  })
  opened.push(queries)
  return queries
}

const running = async (): Promise<number> => Number(/state="running"\} (\d+)/.exec(await metrics.metrics())?.[1])

it('a funnel over enough rows runs in two threads, which both stop when its client leaves', async () => {
  for (const [splitRowsMin, threads] of [
    [6 * ROWS, 2],
    [6 * ROWS + 1, 1],
  ] as const) {
    const queries = open(60_000, splitRowsMin)
    const left = new AbortController()
    const answer = queries.ask(APP, hostile, context, { signal: left.signal })
    await expect.poll(running, { timeout: 20_000 }).toBe(threads)
    left.abort(new Error('left'))
    await expect(answer).rejects.toThrow('left')
    await expect.poll(running, { timeout: 10_000 }).toBe(0)
  }
})

it('combines the progress of both threads', async () => {
  const reported: { done: number; total: number }[] = []
  await open(60_000).ask(APP, easy, context, { ...somebody, progress: (progress) => reported.push(progress) })
  expect(new Set(reported.map(({ total }) => total))).toEqual(new Set([6 * ROWS]))
  expect(Math.max(...reported.map(({ done }) => done))).toBe(6 * ROWS)
})

it.each([0, 1])(
  'a failure in the thread of lane %i is reported, stops the other, and the next query is answered',
  async (lane) => {
    const queries = open(60_000)
    broken = lane
    await expect(queries.ask(APP, easy, context, somebody)).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
    expect(await running()).toBe(0)
    broken = undefined
    expect((await queries.ask(APP, easy, context, somebody)).result.steps.map(({ count }) => count)).toEqual([30, 30])
  },
)

it('asks once whether the answer for these identities is cached, and then ends in both threads', async () => {
  const queries = open(60_000)
  const first = await queries.ask(APP, easy, context, somebody)
  // the same user again, after the range: one more chunk to read, but no new users
  await archiveSketches(storage, APP, 0, '2026-03-29', 50_000, [
    { device: '0/0', user: 'u/0', time: T0 + 80_000_000, data: {} },
  ])
  expect((await queries.ask(APP, easy, context, somebody)).result).toBe(first.result)
  expect(await running()).toBe(0)
  await archiveSketches(storage, APP, 0, '2026-03-29', 50_001, [
    { device: 'new', user: 'u/0', time: T0 + 80_000_000, data: {} },
  ])
  expect((await queries.ask(APP, easy, context, somebody)).result).not.toBe(first.result)
})

it('ends at its limit in both threads', async () => {
  const queries = open(3_000)
  await expect(queries.ask(APP, hostile, context, somebody)).rejects.toMatchObject({ code: 'HOP_QUERY_TIMEOUT' })
  await expect.poll(running, { timeout: 10_000 }).toBe(0)
})
