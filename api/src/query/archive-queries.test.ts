import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ChunkSummary, Filter } from '@hopper/contracts'
import { Chunk, mergeChunks, unlimitedBudget } from '@hopper/engine'
import type { Archive, Storage } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { Registry } from 'prom-client'
import { archiveSketches, type Sketch } from '../testing/archived.fixture.ts'
import { ArchiveQueries } from './archive-queries.ts'
import { ChunkSource, type SendRequest } from './chunk-source.ts'
import { KnownIdentities } from './known-identities.ts'
import { KnownPeople } from './known-people.ts'
import type { QueryJob } from './pool/query-job.ts'
import type { QueryRuntime } from './pool/query-runtime.ts'
import type { NewestHead, QueryOf } from './query.ts'
import { Result, type Headed } from './result.ts'
import { runNewest } from './runs/run-newest.ts'
import { BoundedMap } from './sharing/bounded-map.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

const APP = 'a'
const DATE = '2026-03-28'
const T0 = Date.UTC(2026, 2, 28, 9)
const context = { timezone: 'UTC', completeTo: T0 + 86_400_000 }
const somebody = { signal: new AbortController().signal }
const has = (tag: string): Filter => ({ type: 'eq', key: 'tag', value: tag })
const event = (device: string, minute: number, tag: string, user?: string): Sketch => ({
  device,
  time: T0 + minute * 60_000,
  data: { tag },
  ...(user === undefined ? {} : { user }),
})
const funnel = (fields: Partial<QueryOf<'funnel'>['request']> = {}): QueryOf<'funnel'> => ({
  kind: 'funnel',
  request: {
    from: T0,
    to: T0 + 3_600_000,
    window_ms: 3_600_000,
    steps: [
      { name: 'see', filters: [has('see')] },
      { name: 'buy', filters: [has('buy')] },
    ],
    ...fields,
  },
})

let dir: string
let storage: Storage
let queries: ArchiveQueries
let metrics: Registry
/** reads of the archive: the columns of each chunk, by its first position */
let reads: string[]

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'hopper-questions-'))
  storage = await openEmbedded({ dir, lanes: 2 })
  reads = []
  metrics = new Registry()
  queries = new ArchiveQueries(recordReads(storage.archive!), 20_000, metrics)
})
afterEach(async () => {
  await queries.onModuleDestroy()
  await storage.close()
  rmSync(dir, { recursive: true })
})

/** Wraps an archive to record its reads. */
function recordReads(archive: Archive): Archive {
  return {
    covered: (...args) => archive.covered(...args),
    append: (...args) => archive.append(...args),
    purge: (...args) => archive.purge(...args),
    replace: (...args) => archive.replace(...args),
    list: (range) => archive.list(range),
    columns: (chunk, names) => {
      reads.push(`${chunk.lane}/${chunk.first_position}: ${[...names].sort().join(' ')}`)
      return archive.columns(chunk, names)
    },
  }
}

const running = async (): Promise<number> => Number(/state="running"\} (\d+)/.exec(await metrics.metrics())?.[1])
const counts = async (query = funnel()): Promise<number[]> =>
  (await queries.ask(APP, query, context, somebody)).result.steps.map(({ count }) => count)

it('reads the users of devices once: a second query reads only new chunks that can match', async () => {
  await archiveSketches(storage, APP, 0, DATE, 0, [event('phone', 0, 'see', 'ann'), event('pad', 1, 'see', 'bob')])
  await archiveSketches(storage, APP, 1, '2026-03-01', 0, [event('laptop', -40_000, 'other', 'ann')])
  expect(await counts()).toEqual([2, 0])
  expect(reads).toContain('1/0: index position runs user')
  expect(reads.filter((read) => read.startsWith('1/'))).toHaveLength(1)

  reads = []
  await archiveSketches(storage, APP, 1, DATE, 5, [event('laptop', 9, 'buy', 'ann')])
  expect(await counts()).toEqual([2, 1])
  expect(reads.filter((read) => read.startsWith('1/5'))).not.toHaveLength(0)
  expect(reads.filter((read) => read.startsWith('1/0'))).toEqual([])

  // another query over the same columns: a thread has them cached
  reads = []
  expect(await counts(funnel({ window_ms: 60_000 }))).toEqual([2, 0])
  expect(reads).toEqual([])
  expect(await counts(funnel({ filters: [has('nobody has this')] }))).toEqual([0, 0])
  expect(reads).toEqual([])
})

it('runs equal concurrent queries once, and a different one in parallel', async () => {
  await archiveSketches(storage, APP, 0, DATE, 0, [event('phone', 0, 'see'), event('phone', 1, 'buy')])
  const { request } = funnel()
  const turned = Object.fromEntries(Object.entries(request).reverse()) as unknown as typeof request
  const answers = await Promise.all([
    queries.ask(APP, funnel(), context, somebody),
    queries.ask(APP, { kind: 'funnel', request: turned }, context, somebody),
  ])
  expect(answers[0].result).toBe(answers[1].result)
  expect(reads.filter((read) => read.includes('timestamp'))).toHaveLength(1)
  const [one, other] = await Promise.all([
    counts(funnel({ count_by: 'device' })),
    counts(funnel({ count_by: 'device', order: 'strict' })),
  ])
  expect([one, other]).toEqual([
    [1, 1],
    [1, 1],
  ])
})

it('caches the answer for a past range until an event or an identify changes it', async () => {
  await archiveSketches(storage, APP, 0, DATE, 0, [
    event('phone', 0, 'see'),
    event('phone', 1, 'see', 'ann'),
    event('pad', 2, 'buy', 'bob'),
  ])
  const first = await queries.ask(APP, funnel(), context, somebody)
  expect((await queries.ask(APP, funnel(), context, somebody)).result).toBe(first.result)

  // bob again, from the same device, after the range: the device still belongs to the same users
  await archiveSketches(storage, APP, 0, '2026-03-29', 3, [event('pad', 2_000, 'see', 'bob')])
  expect((await queries.ask(APP, funnel(), context, somebody)).result).toBe(first.result)

  // ann has a second device, in another lane, and made a purchase with it
  await archiveSketches(storage, APP, 1, '2026-03-29', 0, [event('laptop', 2_001, 'other', 'ann')])
  await archiveSketches(storage, APP, 1, DATE, 1, [event('laptop', 30, 'buy', 'ann')])
  expect((await queries.ask(APP, funnel(), context, somebody)).result.steps.map(({ count }) => count)).toEqual([1, 1])

  // an open range is never cached
  const open = { ...context, completeTo: T0 }
  expect((await queries.ask(APP, funnel(), open, somebody)).result).not.toBe(
    (await queries.ask(APP, funnel(), open, somebody)).result,
  )
})

it('an identify long after the range changes the answer, even without new chunks in the range', async () => {
  await archiveSketches(storage, APP, 0, DATE, 0, [event('phone', 0, 'see', 'ann'), event('tv', 5, 'buy')])
  expect(await counts()).toEqual([1, 0])
  await archiveSketches(storage, APP, 0, '2026-04-28', 2, [event('tv', 50_000, 'other', 'ann')])
  expect(await counts()).toEqual([1, 1])
})

it('merging spans does not change the users of devices, and only the merged span is read', async () => {
  await archiveSketches(storage, APP, 0, DATE, 0, [event('phone', 0, 'see', 'ann')])
  await archiveSketches(storage, APP, 0, DATE, 5, [event('phone', 4, 'see', 'bob'), event('tv', 5, 'buy', 'ann')])
  await archiveSketches(storage, APP, 1, DATE, 0, [event('laptop', 9, 'buy', 'bob')])
  expect(await counts()).toEqual([2, 2])
  const lane = await storage.archive!.list({ app: APP, from: 0, to: Number.MAX_SAFE_INTEGER, lane: 0 })
  const chunks = await Promise.all(
    lane.map(async (summary) =>
      Chunk.of({ summary, columns: await storage.archive!.columns(summary, Object.keys(summary.columns)) }),
    ),
  )
  const lease = await storage.lanes.acquire(0, 'test')
  await storage.archive!.replace(lease, lane, mergeChunks(chunks))
  await storage.lanes.release(lease)
  reads = []
  expect(await counts(funnel({ window_ms: 3_500_000 }))).toEqual([2, 2])
  expect(reads.filter((read) => read.endsWith('index position runs user'))).toEqual(['0/0: index position runs user'])
})

it('reports its progress, and stops soon after its only client leaves', async () => {
  const many = Array.from({ length: 5_000 }, (_, i): Sketch => ({
    device: `d${i % 50}`,
    time: T0 + i,
    data: { tag: 'see', text: `${'a'.repeat(2_000)}${i}` },
  }))
  for (let part = 0; part < 4; part++) await archiveSketches(storage, APP, 0, DATE, part * 10_000, many)
  const filters = Array.from({ length: 50 }, (_, i): Filter => ({
    type: 'regex',
    key: 'text',
    value: `((a+)+b{${i}})+$`,
  }))
  const slow: QueryOf<'events'> = {
    kind: 'events',
    request: { start: T0, end: T0 + 3_600_000, data: [{ name: 'all', filters: [{ type: 'or', filters }] }] },
  }
  const left = new AbortController()
  const answer = queries.ask(APP, slow, context, { signal: left.signal })
  await expect.poll(() => running(), { timeout: 10_000 }).toBe(1)
  const at = performance.now()
  left.abort(new Error('left'))
  await expect(answer).rejects.toThrow('left')
  await expect.poll(() => running(), { timeout: 5_000 }).toBe(0)
  expect(performance.now() - at).toBeLessThan(5_000)

  const reported: { done: number; total: number }[] = []
  await queries.ask(
    APP,
    { kind: 'events', request: { ...slow.request, data: [{ name: 'all', filters: [], unique: ['text'] }] } },
    context,
    { ...somebody, progress: (progress) => reported.push(progress) },
  )
  expect(reported.at(-1)).toEqual({ done: 20_000, total: 20_000 })
})

it('reads a bounded part of the chunks at a time, though each of the newest events is in one of its own', async () => {
  const [chunkCount, columnBytes, requestBytesMax] = [20, 500_000, 16 * 1024 * 1024]
  for (let position = 0; position < chunkCount; position++)
    await archiveSketches(storage, APP, 0, DATE, position, [event('d', position, 'see')])
  const archive = storage.archive!
  const large = ({ columns, ...summary }: ChunkSummary): ChunkSummary => ({
    ...summary,
    columns: Object.fromEntries(Object.keys(columns).map((name) => [name, columnBytes])),
  })
  const requests: number[] = []
  const sendRequest: SendRequest = (request) => {
    if (request.ask !== 'cells') throw new TypeError(`unexpected request: ${request.ask}`)
    const columns = request.fetches.flatMap(({ names }) => names)
    requests.push(columns.length * columnBytes)
    return Promise.all(request.fetches.map(({ summary, names }) => archive.columns(summary, names)))
  }
  const source = new ChunkSource(sendRequest)
  const identities = new KnownIdentities(source)
  const runtime: QueryRuntime = {
    source,
    identities,
    people: new KnownPeople(source, identities),
    tallies: new BoundedMap(1_000),
    putPlaces: new BoundedMap(1_000),
    exported: {},
    budget: unlimitedBudget,
    sendRequest,
    progress: () => undefined,
  }
  const range = { from: 0, to: Number.MAX_SAFE_INTEGER }
  const question: QueryOf<'newest'> = {
    kind: 'newest',
    request: { ...range, filters: [], ends: [Number.MAX_SAFE_INTEGER, 0], limit: chunkCount },
  }
  const job: QueryJob = {
    question,
    app: APP,
    context,
    chunks: (await archive.list({ app: APP, ...range })).map(large),
    identifying: [],
    history: [],
    until: Infinity,
    stop: new SharedArrayBuffer(4),
    others: [],
  }
  const outcome = await runNewest(question, job, runtime)
  const bytes = outcome.kind === 'answered' ? (outcome.result as Uint8Array) : new Uint8Array()
  const { body } = new Result<Headed<NewestHead>>(bytes).value
  const found = JSON.parse(Buffer.from(body).toString()) as { event_id: string }[]
  expect(found.map(({ event_id }) => event_id)).toEqual(
    Array.from({ length: chunkCount }, (_, index) => `d-${chunkCount - 1 - index}`),
  )
  // every chunk is read, for the places and for the events
  expect(requests.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(chunkCount * 6 * columnBytes)
  expect(Math.max(...requests)).toBeLessThanOrEqual(requestBytesMax)
})
