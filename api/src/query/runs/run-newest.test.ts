import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import type { ChunkSummary } from '@hopper/contracts'
import { unlimitedBudget } from '@hopper/engine'
import { openEmbedded } from '@hopper/storage/embedded'
import { archiveSketches } from '../../testing/archived.fixture.ts'
import { ChunkSource, type SendRequest } from '../chunk-source.ts'
import { KnownIdentities } from '../known-identities.ts'
import { KnownPeople } from '../known-people.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { NewestHead, QueryOf } from '../query.ts'
import { Result, type Headed } from '../result.ts'
import { BoundedMap } from '../sharing/bounded-map.ts'
import { runNewest } from './run-newest.ts'

vi.setConfig({ testTimeout: 60_000 })

const T0 = Date.UTC(2026, 2, 28, 9)
const CHUNKS = 20
const COLUMN_BYTES = 500_000
const REQUEST_BYTES_MAX = 16 * 1024 * 1024

/** Returns a summary that says that its columns are large. */
function enlarged(summary: ChunkSummary): ChunkSummary {
  return { ...summary, columns: Object.fromEntries(Object.keys(summary.columns).map((name) => [name, COLUMN_BYTES])) }
}

it('reads a bounded number of bytes at a time, although each event is in a chunk of its own', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-newest-'))
  const storage = await openEmbedded({ dir, lanes: 1 })
  onTestFinished(async () => {
    await storage.close()
    rmSync(dir, { recursive: true })
  })
  for (let position = 0; position < CHUNKS; position++) {
    const event = { device: 'd', time: T0 + position * 60_000, data: { n: position } }
    await archiveSketches(storage, 'a', 0, '2026-03-28', position, [event])
  }
  const archive = storage.archive!
  const chunks = (await archive.list({ app: 'a', from: 0, to: Number.MAX_SAFE_INTEGER })).map(enlarged)
  const requests: number[] = []
  const sendRequest: SendRequest = (request) => {
    if (request.ask !== 'cells') throw new TypeError(`unexpected request: ${request.ask}`)
    const sizes = request.fetches.flatMap(({ summary, names }) => names.map((name) => summary.columns[name] ?? 0))
    requests.push(sizes.reduce((sum, size) => sum + size, 0))
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
  const question: QueryOf<'newest'> = {
    kind: 'newest',
    request: { from: 0, to: Number.MAX_SAFE_INTEGER, filters: [], ends: [Number.MAX_SAFE_INTEGER], limit: CHUNKS },
  }
  const context = { timezone: 'UTC', completeTo: T0 + 86_400_000 }
  const job: QueryJob = {
    question,
    app: 'a',
    context,
    chunks,
    identifying: [],
    history: [],
    until: Infinity,
    stop: new SharedArrayBuffer(4),
    others: [],
  }
  const outcome = await runNewest(question, job, runtime)
  const bytes = outcome.kind === 'answered' ? (outcome.result as Uint8Array) : new Uint8Array()
  const { body } = new Result<Headed<NewestHead>>(bytes).value
  const events = JSON.parse(Buffer.from(body).toString()) as { event_id: string; lane: number; position: number }[]
  expect(events.map(({ event_id, lane, position }) => `${event_id} ${lane}/${position}`)).toEqual(
    Array.from({ length: CHUNKS }, (_, i) => CHUNKS - 1 - i).map((position) => `d-${position} 0/${position}`),
  )
  // all chunks are read, for the places and for the events
  expect(requests.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(CHUNKS * 10 * COLUMN_BYTES)
  expect(Math.max(...requests)).toBeLessThanOrEqual(REQUEST_BYTES_MAX)
})
