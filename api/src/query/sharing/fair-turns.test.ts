import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import type { Filter } from '@hopper/contracts'
import type { Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { archiveSketches, type Sketch } from '../../testing/archived.fixture.ts'
import { ArchiveQueries } from '../archive-queries.ts'
import { FairOrder } from './fair-order.ts'
import type { PoolBounds } from '../pool/query-pool.ts'
import type { QueryOf } from '../query.ts'
import { Shares } from './shares.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 90_000 })

const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const LIMIT_MS = 60_000
const context = { timezone: 'UTC', completeTo: T0 + 86_400_000 }
const bounds: PoolBounds = {
  threadsMax: 2,
  threadsPerAppMax: 1,
  waitingMax: 8,
  waitingPerAppMax: 6,
  waitingPerCallerMax: 4,
  splitRowsMin: Infinity,
  sliceMs: 60_000,
}

/** 800 letters, a and b, different in each value. */
function textOf(number: number): string {
  const letters: string[] = []
  for (let i = 0, state = number + 1; i < 800; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    letters.push(state >>> 31 === 1 ? 'a' : 'b')
  }
  return letters.join('')
}

let dir: string
let storage: Storage
let metrics: Registry
const opened: ArchiveQueries[] = []

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hopper-fair-'))
  storage = await openEmbedded({ dir, lanes: 1 })
  for (const app of ['a', 'b', 'c']) {
    await archiveSketches(
      storage,
      app,
      0,
      DATE,
      0,
      Array.from({ length: 5_000 }, (_, i): Sketch => ({
        device: `d${i % 50}`,
        time: T0 + i,
        data: { text: textOf(i) },
      })),
    )
  }
})
afterEach(() => Promise.all(opened.splice(0).map((queries) => queries.onModuleDestroy())))
afterAll(async () => {
  await storage.close()
  rmSync(dir, { recursive: true })
})

function open(some: Partial<PoolBounds> = {}, limitMs = LIMIT_MS): ArchiveQueries {
  metrics = new Registry()
  const queries = new ArchiveQueries(storage.archive, limitMs, metrics, { ...bounds, ...some })
  opened.push(queries)
  return queries
}

const state = async (name: string): Promise<number> =>
  Number(new RegExp(`state="${name}"\\} (\\d+)`).exec(await metrics.metrics())?.[1])
const events = (filters: readonly Filter[], name: string): QueryOf<'events'> => ({
  kind: 'events',
  request: { start: T0, end: T0 + 3_600_000, data: [{ name, filters: [...filters] }] },
})
const slowFilter: Filter = { type: 'regex', key: 'text', value: '[ab]*a[ab]{40}c' }
/** Takes minutes: 20 ms for each of 5,000 values, because this pattern has no small automaton. */
const slow = (name: string): QueryOf<'events'> => events([slowFilter], name)
const quick = (name: string): QueryOf<'events'> => events([{ type: 'eq', key: 'text', value: 'b' }], name)

interface SentQuery {
  readonly ended: Promise<string>
  leave(): void
}

/** Runs a query and returns its outcome: "answered", or the error code with the limit that it names. */
function send(queries: ArchiveQueries, app: string, caller: string, query: QueryOf<'events'>): SentQuery {
  const left = new AbortController()
  const ended = queries.ask(app, query, context, { signal: left.signal, caller, arrivedAt: performance.now() }).then(
    () => 'answered',
    (error: { code?: string; details?: { limit?: string } }) =>
      [error.code, error.details?.limit].filter(Boolean).join(' '),
  )
  return { ended, leave: () => left.abort(Object.assign(new Error('left'), { code: 'left' })) }
}

it('the app and caller with the least running work, served longest ago, goes first', () => {
  const atWork = new Shares()
  const order = new FairOrder(atWork)
  const owner = (app: string, caller: string): { app: string; caller: string } => ({ app, caller })
  const flood = [owner('a', 'x'), owner('a', 'x'), owner('a', 'y'), owner('b', 'z')]
  const served: string[] = []
  for (const waiting = [...flood]; waiting.length > 0;) {
    const next = order.first(waiting)!
    waiting.splice(waiting.indexOf(next), 1)
    order.served(next)
    served.push(`${next.app} ${next.caller}`)
  }
  expect(served).toEqual(['a x', 'b z', 'a y', 'a x'])
  // a caller with many apps counts as one
  atWork.add(owner('c', 'admin'))
  expect(order.first([owner('d', 'admin'), owner('e', 'admin'), owner('b', 'other')])).toEqual(owner('b', 'other'))
})

it('a flood of one key leaves a thread and queue places to others, and its errors name the limit', async () => {
  const queries = open()
  const flood = Array.from({ length: 8 }, (_, i) => send(queries, 'a', 'key a', slow(`${i}`)))
  await expect.poll(() => state('running'), { timeout: 20_000 }).toBe(1)
  expect(await Promise.all(flood.slice(5).map(({ ended }) => ended))).toEqual(
    new Array(3).fill('HOP_SHARE queries_waiting_per_caller'),
  )
  const others = [
    send(queries, 'a', 'key b', quick('x')),
    send(queries, 'a', 'key b', quick('y')),
    send(queries, 'a', 'key c', quick('z')),
  ]
  expect(await others[2]!.ended).toBe('HOP_SHARE queries_waiting_per_app')
  for (const app of ['b', 'c', 'b']) expect(await send(queries, app, `key ${app}`, quick('q')).ended).toBe('answered')
  // control: without shares, the same flood takes all threads and places
  const greedy = open({ threadsPerAppMax: 2, waitingMax: 3, waitingPerAppMax: 99, waitingPerCallerMax: 99 })
  const full = Array.from({ length: 5 }, (_, i) => send(greedy, 'a', 'key a', slow(`${i}`)))
  await expect.poll(() => state('waiting'), { timeout: 20_000 }).toBe(3)
  expect(await send(greedy, 'b', 'key b', quick('q')).ended).toBe('HOP_QUERY_BUSY queries_waiting')
  for (const { leave } of [...flood, ...others, ...full]) leave()
})

it('a client that leaves frees its thread and place immediately', async () => {
  const queries = open()
  const flood = Array.from({ length: 5 }, (_, i) => send(queries, 'a', 'key a', slow(`${i}`)))
  await expect.poll(() => state('waiting'), { timeout: 20_000 }).toBe(4)
  for (const { leave } of flood) leave()
  expect(await state('waiting')).toBe(0)
  expect(await send(queries, 'a', 'key a', quick('q')).ended).toBe('answered')
})

it('waiting counts: a query without a thread ends at its limit', async () => {
  const queries = open({}, 3_000)
  const began = performance.now()
  const waiting = Array.from({ length: 4 }, (_, i) => send(queries, 'a', 'key a', slow(`${i}`)).ended)
  expect(await Promise.all(waiting)).toEqual(new Array(4).fill('HOP_QUERY_TIMEOUT'))
  expect(performance.now() - began).toBeLessThan(3_000 + 4_000)
})

it('the start of a thread counts against the limit', async () => {
  const queries = open({}, 50)
  // start the archive's own thread first
  await queries.list({ app: 'a', from: 0, to: T0 })
  expect(await send(queries, 'a', 'key a', quick('q')).ended).toBe('HOP_QUERY_TIMEOUT')
})

it('a query that has yielded is answered after the query that it made room for', async () => {
  const texts = Array.from({ length: 200 }, (_, i) => textOf(i))
  await archiveSketches(
    storage,
    'd',
    0,
    DATE,
    0,
    texts.map((text, i): Sketch => ({ device: `d${i}`, time: T0 + i, data: { text } })),
  )
  const queries = open({ threadsMax: 1, sliceMs: 300 })
  const order: string[] = []
  const noted = <T>(name: string, query: Promise<T>): Promise<T> => query.finally(() => order.push(name))
  // some seconds: 20 ms for each of 200 values
  const filters: Filter[] = [slowFilter, { type: 'eq', key: 'text', value: texts[7]! }]
  const client = { signal: new AbortController().signal }
  const long = noted('long', queries.ask('d', events([{ type: 'or', filters }], 'one'), context, client))
  await expect.poll(() => state('running'), { timeout: 20_000 }).toBe(1)
  const short = noted('short', send(queries, 'c', 'key c', quick('q')).ended)
  expect(await short).toBe('answered')
  expect((await long).result.data).toMatchObject([{ name: 'one', count: 1 }])
  expect(order).toEqual(['short', 'long'])
})

it('long queries of several apps yield to a query that may be quick, and then continue', async () => {
  const queries = open({ sliceMs: 500 })
  const long = [send(queries, 'a', 'key a', slow('1')), send(queries, 'b', 'key b', slow('2'))]
  await expect.poll(() => state('running'), { timeout: 20_000 }).toBe(2)
  expect(await send(queries, 'c', 'key c', quick('q')).ended).toBe('answered')
  await expect.poll(async () => [await state('running'), await state('waiting')], { timeout: 20_000 }).toEqual([1, 1])
  long[0]!.leave()
  await expect.poll(async () => [await state('running'), await state('waiting')], { timeout: 20_000 }).toEqual([1, 0])
  long[1]!.leave()
  // control: with an endless slice, it waits
  const patient = open()
  const held = [send(patient, 'a', 'key a', slow('1')), send(patient, 'b', 'key b', slow('2'))]
  await expect.poll(() => state('running'), { timeout: 20_000 }).toBe(2)
  const late = send(patient, 'c', 'key c', quick('q'))
  expect(await Promise.race([late.ended, new Promise((next) => setTimeout(next, 3_000, 'waits'))])).toBe('waits')
  for (const { leave } of [...held, late]) leave()
})
