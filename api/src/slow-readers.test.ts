import { setTimeout as pause } from 'node:timers/promises'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Exports } from './query/exports.ts'
import { archiveSketches, type Sketch } from './testing/archived.fixture.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000 })

let hopper: Installation
let base: string
const ROWS = 20_000
const T0 = Date.UTC(2026, 1, 1, 9)
const range = 'format=ndjson&from=2026-02-01&to=2026-02-01'

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  // 16 MB of distinct texts: more than the buffers of a connection hold
  const rows = (length: number): Sketch[] =>
    Array.from({ length }, (_, i) => ({
      device: `d${i % 100}`,
      time: T0 + i,
      data: { text: `${i}-${'x'.repeat(800)}` },
    }))
  await archiveSketches(hopper.storage, 'shop', 0, '2026-02-01', 0, rows(ROWS))
  await archiveSketches(hopper.storage, 'blog', 0, '2026-02-01', 0, rows(10))
  await hopper.app.listen(0, '127.0.0.1')
  base = `${await hopper.app.getUrl()}/api/v1/apps`
}, 120_000)
afterAll(() => hopper.close())

interface Stream {
  readonly status: number
  readonly error: string
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  leave(): void
}

/** Opens a stream and reads one part of it. */
async function open(path: string, key: string): Promise<Stream> {
  const leaving = new AbortController()
  const answer = await fetch(`${base}/${path}`, { headers: { 'x-api-key': key }, signal: leaving.signal })
  const { error } = answer.ok ? {} : ((await answer.json()) as { error?: { code: string; details: { limit: string } } })
  const reader = (answer.ok ? answer.body! : new ReadableStream<Uint8Array>()).getReader()
  if (answer.ok) await reader.read()
  return {
    status: answer.status,
    error: error ? `${error.code} ${error.details.limit}` : '',
    reader,
    leave: () => leaving.abort(),
  }
}

async function linesOf({ reader }: Stream): Promise<number> {
  let lines = 0
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    for (const byte of part.value) if (byte === 10) lines++
  }
  return lines
}

const allOf = (app: string, key: string): Promise<string> =>
  fetch(`${base}/${app}/export?${range}`, { headers: { 'x-api-key': key } }).then((answer) => answer.text())

test('clients that stop reading occupy no thread, and get the rest once they continue', async () => {
  const slow = await Promise.all(Array.from({ length: 5 }, () => open(`shop/export?${range}`, keys.read)))
  expect(slow.map(({ status }) => status)).toEqual(new Array(5).fill(200))
  await pause(1_000)
  expect((await allOf('blog', keys.blogRead)).trimEnd().split('\n')).toHaveLength(10)
  expect((await allOf('shop', keys.read)).trimEnd().split('\n')).toHaveLength(ROWS)
  const read = await linesOf(slow[0]!)
  // without the lines of the first part, which `open` has read
  expect(read).toBeGreaterThan(ROWS - 2_000)
  for (const { leave } of slow) leave()
})

test('each key has a share of exports and live streams, freed as soon as a client leaves', async () => {
  for (const [path, blog, limit, max] of [
    [`shop/export?${range}`, `blog/export?${range}`, 'exports', 8],
    ['shop/live', 'blog/live', 'live_streams', 25],
  ] as const) {
    const streams: Stream[] = []
    for (let i = 0; i < max; i++) streams.push(await open(path, keys.read))
    expect(streams.every(({ status }) => status === 200)).toBe(true)
    const more = await open(path, keys.read)
    expect([more.status, more.error]).toEqual([429, `HOP_SHARE ${limit}_per_caller`])
    const others = await open(blog, keys.blogRead)
    expect(others.status).toBe(200)
    streams[0]!.leave()
    await expect
      .poll(
        async () => {
          const again = await open(path, keys.read)
          if (again.status === 200) streams.push(again)
          return again.status
        },
        { timeout: 5_000 },
      )
      .toBe(200)
    for (const { leave } of [...streams, others]) leave()
  }
})

test('an export with a very slow reader ends with an error', async () => {
  const stored = hopper.storage.archive!
  const cells = (fetches: readonly { summary: never; names: readonly string[] }[]): Promise<never> =>
    Promise.all(fetches.map(({ summary, names }) => stored.columns(summary, names))) as Promise<never>
  const exports = new Exports({ cells: ({ fetches }) => cells(fetches as never) }, { bytes: 65_536, ms: 1_000 })
  const chunks = await stored.list({ app: 'shop', from: 0, to: Number.MAX_SAFE_INTEGER })
  const client = { signal: new AbortController().signal, caller: 'key', arrivedAt: performance.now() }
  const leave = exports.enter({ app: 'shop', caller: 'key' })
  const context = { timezone: 'UTC', completeTo: 0 }
  const begin = { format: 'ndjson' as const, from: 0, to: Number.MAX_SAFE_INTEGER }
  const parts = await exports.begin('shop', begin, chunks, context, client, leave)
  const ended = new Promise((resolve) => parts.once('error', resolve))
  expect(await ended).toMatchObject({ code: 'HOP_SLOW_READER' })
  expect(exports.open).toBe(0)
  await exports.close()
})
