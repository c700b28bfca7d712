import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { countedReports, reports } from '@hopper/contracts'
import { withOverrides, type TableReader } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { CountedLog, putEvent, type Sent } from '../testing/counted-log.ts'
import { openStream, type Stream } from '../testing/event-source.fixture.ts'
import { apiOver, keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

// threads start from the sources, which is slow on busy machines
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let hopper: Installation
let log: CountedLog
const opened: Stream[] = []
const apis: NestFastifyApplication[] = []
const TODAY = '2026-03-30'
const range = `from=2026-03-24&to=${TODAY}`
const path = `/api/v1/apps/shop/changes?${range}`
const all = { name: 'changes', data: JSON.stringify({ reports }) }
const counted = { name: 'changes', data: JSON.stringify({ reports: countedReports }) }

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
  log = new CountedLog(hopper.storage)
  await hopper.app.listen(0, '127.0.0.1')
})
afterEach(() => {
  for (const stream of opened.splice(0)) stream.leave()
})
afterAll(async () => {
  for (const api of apis) await api.close()
  await hopper.close()
})

async function open(url = path, headers: Record<string, string> = {}, api = hopper.app): Promise<Stream> {
  const stream = await openStream(`${await api.getUrl()}${url}`, { 'x-api-key': keys.read, ...headers })
  opened.push(stream)
  return stream
}

/** Opens an API of its own over the storage. */
async function openAnother(reader: TableReader = hopper.storage.reader): Promise<NestFastifyApplication> {
  const api = await apiOver({ ...hopper.storage, reader }, { clock: () => hopper.clock })
  apis.push(api)
  await api.listen(0, '127.0.0.1')
  return api
}

/** Counts an event of a date in the tables. */
async function count(date = TODAY, app = 'shop'): Promise<void> {
  const partition = { table: 'activity_by_date' as const, app, date }
  const [position] = await hopper.storage.writer.applied(0, [partition])
  const rows = [{ key: [1], deltas: [1, 0] }]
  await hopper.fill({ lane: 0, counters: [{ ...partition, from: position!, to: position! + 1, rows }] })
}

test('a change of a date of the range is sent once, with all reports', async () => {
  const stream = await open()
  expect([stream.status, stream.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  const before = stream.lastId()
  expect(before).not.toBe('')
  await count('2026-03-01')
  await count(TODAY, 'blog')
  await count()
  expect(await stream.events(1)).toEqual([all])
  const after = stream.lastId()
  expect(after).not.toBe(before)
  await count('2026-03-25')
  expect(await stream.events(2)).toEqual([all, all])
  expect(stream.lastId()).not.toBe(after)
})

test('a client that reconnects to any process gets missed changes at once, and nothing if there are none', async () => {
  const first = await open()
  const id = first.lastId()
  first.leave()
  const same = await open(path, { 'last-event-id': id })
  expect(same.lastId()).toBe('')
  await count()
  expect(await same.events(1)).toEqual([all])
  const api = await openAnother()
  const late = await open(path, { 'last-event-id': id }, api)
  expect(await late.events(1)).toEqual([all])
  expect(late.lastId()).toBe(same.lastId())
  const asParameter = await open(`${path}&lastEventId=${id}`)
  expect(await asParameter.events(1)).toEqual([all])
})

test('a change that only the tables have is sent twice, and again to a client that leaves in between', async () => {
  const stream = await open()
  const before = stream.lastId()
  const sent: Sent[] = [{ device: 'phone', received_at: NOW, events: [putEvent('early', '1', NOW)] }]
  const appended = await log.append('shop', sent)
  hopper.clock += 1_000
  await count()
  expect(await stream.events(1)).toEqual([counted])
  expect(stream.lastId()).toBe(before)
  const back = await open(path, { 'last-event-id': before })
  expect(await back.events(1)).toEqual([counted])
  await log.count('shop', sent, appended)
  expect(await stream.events(2)).toEqual([counted, all])
  expect(await back.events(2)).toEqual([counted, all])
  expect(back.lastId()).toBe(stream.lastId())
})

test('the tables are read once for all streams of an app', async () => {
  let reads = 0
  const { reader } = hopper.storage
  const api = await openAnother(
    withOverrides(reader, {
      versions: (app, dates) => {
        reads++
        return reader.versions(app, dates)
      },
    }),
  )
  const streams: Stream[] = []
  for (let i = 0; i < 10; i++) streams.push(await open(path, {}, api))
  const [first] = streams
  reads = 0
  await count()
  await first!.events(1)
  await count()
  await first!.events(2)
  // two checks that found a change, and those that ended while the test wrote
  expect(reads).toBeLessThan(8)
  for (const stream of streams) expect(await stream.events(2)).toEqual([all, all])
})

test('tables that are unavailable for a while do not end a stream', async () => {
  let failures = 0
  let isUnavailable = false
  const { reader } = hopper.storage
  const api = await openAnother(
    withOverrides(reader, {
      versions: async (app, dates) => {
        if (isUnavailable) throw new Error(`unavailable ${++failures}`)
        return reader.versions(app, dates)
      },
    }),
  )
  const stream = await open(path, {}, api)
  isUnavailable = true
  await count()
  await expect.poll(() => failures, { timeout: 10_000 }).toBeGreaterThan(0)
  isUnavailable = false
  expect(await stream.events(1)).toEqual([all])
})

test('a key can open streams up to its share, and a HEAD request takes none of it', async () => {
  const url = `${await hopper.app.getUrl()}${path}`
  for (let i = 0; i < 30; i++) {
    const { status } = await fetch(url, { method: 'HEAD', headers: { 'x-api-key': keys.read } })
    expect([i, status]).toEqual([i, 200])
  }
  const streams = await Promise.all(Array.from({ length: 40 }, () => open()))
  expect(streams.filter(({ status }) => status === 200)).toHaveLength(25)
  const refused = streams.filter(({ status }) => status !== 200)
  for (const { status, refusal } of refused)
    expect([status, refusal]).toMatchObject([429, { error: { code: 'HOP_SHARE' } }])
  for (const stream of streams) stream.leave()
  await expect.poll(async () => (await open()).status, { timeout: 10_000 }).toBe(200)
})

test('a range that cannot be read is refused', async () => {
  const { status, refusal } = await open('/api/v1/apps/shop/changes?from=2026-03-31&to=2026-03-01')
  expect([status, refusal]).toMatchObject([400, { error: { code: 'HOP_RANGE_INVALID' } }])
})
