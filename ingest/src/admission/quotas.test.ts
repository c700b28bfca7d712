import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { usageId, type App, type ErrorBody, type Usage } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket, type RawData } from 'ws'
import { boundOrigin, browser, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { Quotas } from './quotas.ts'

const DAY_MS = 86_400_000
const QUOTA = 10_000
const pauses = { readEveryMs: 20, storeEveryMs: 20 }
const body = (chars = 4_000): object => ({
  device_id: 'd',
  events: [{ type: 1, target: `//a[${'1'.repeat(chars)}]`, elapsed_time: 5, current_url: '/' }],
})

let now: number
let ingest: IngestServer
let lines: string[]
beforeEach(async () => {
  now = Date.now()
  lines = []
  const logger = { info: () => undefined, error: (_: unknown, text?: string) => void lines.push(String(text)) }
  ingest = await openIngest({ quotaPauses: pauses, logger, clock: () => now })
})
afterEach(() => ingest[Symbol.asyncDispose]())

/** Changes the app, as an admin or an aggregator does, and waits until ingest asks for it again. */
async function setApp(more: Partial<App>): Promise<void> {
  const { registry } = ingest.storage
  await registry.apps.put('acme', 'shop', { ...(await registry.app('shop'))!, ...more })
}

const statuses = async (count: number, sent: () => object = body): Promise<number[]> => {
  const all = []
  for (let index = 0; index < count; index++) all.push((await ingest.post(sent())).status)
  return all
}

const stored = (): Promise<readonly Usage[]> => ingest.storage.registry.usages.list('shop')

it('refuses an app by name once it has received its quota, and stores nothing of that', async () => {
  await setApp({ quota_bytes: QUOTA })
  expect(await statuses(4)).toEqual([202, 202, 202, 429])
  const refused = await ingest.post(body())
  expect((refused.body as ErrorBody).error).toMatchObject({
    code: 'HOP_QUOTA',
    message: expect.stringContaining('quota of 10000 bytes') as string,
    details: { quota_bytes: QUOTA },
  })
  expect(refused.headers).toMatchObject({ 'retry-after': '300', 'access-control-allow-origin': '*' })
  expect(await ingest.envelopes()).toHaveLength(3)
  expect(lines).toEqual([expect.stringContaining('quota')])
})

it('refuses one app, and no other', async () => {
  await setApp({ quota_bytes: 1 })
  expect(await statuses(2)).toEqual([202, 429])
  const other = await ingest.server.inject({
    method: 'POST',
    url: `/v1/events?key=${keys.bound}`,
    payload: body(),
    headers: { origin: boundOrigin, 'user-agent': browser },
  })
  expect(other.statusCode).toBe(202)
})

it('the control: without a quota an app may send more', async () => {
  await setApp({ quota_bytes: null })
  expect(await statuses(6)).toEqual([202, 202, 202, 202, 202, 202])
})

it('still sends pages their configuration while the app is over its quota', async () => {
  await setApp({ quota_bytes: 1 })
  expect(await statuses(2)).toEqual([202, 429])
  expect((await ingest.server.inject(`/v1/config?key=${keys.write}`)).statusCode).toBe(200)
})

it('counts events with repeated ids and rejected ones too, because the log has them', async () => {
  await setApp({ quota_bytes: QUOTA })
  const same = { ...body(), events: [{ ...(body() as { events: object[] }).events[0], event_id: 'e' }] }
  expect(await statuses(4, () => same)).toEqual([202, 202, 202, 429])
})

it('accepts again when the quota is raised', async () => {
  await setApp({ quota_bytes: QUOTA })
  expect(await statuses(4)).toContain(429)
  await setApp({ quota_bytes: 10 * QUOTA })
  await vi.waitFor(async () => expect(await statuses(1)).toEqual([202]), { timeout: 10_000, interval: 200 })
}, 20_000)

it('accepts again when the dates of receipt have expired, and drops their records', async () => {
  await setApp({ quota_bytes: QUOTA })
  now -= 10 * DAY_MS
  expect(await statuses(4)).toContain(429)
  await vi.waitFor(async () => expect(await stored()).toHaveLength(1))
  // another process knows them by their records only
  const [record] = await stored()
  const other = { ...record!, process: 'other' }
  await ingest.storage.registry.usages.put('shop', usageId(other), other)
  now += 10 * DAY_MS
  expect(await statuses(1)).toEqual([429])
  const kept_from = new Date(now - 5 * DAY_MS).toISOString().slice(0, 10)
  await ingest.storage.registry.retentions.put('', 'shop', { app: 'shop', kept_from, decided_at: now })
  await vi.waitFor(async () => expect(await statuses(1)).toEqual([202]), { timeout: 10_000, interval: 200 })
  await vi.waitFor(async () => {
    await statuses(1)
    expect((await stored()).filter(({ process }) => process === 'other')).toEqual([])
  })
}, 20_000)

it('refuses messages of a socket by the same error, and keeps the socket', async () => {
  await setApp({ quota_bytes: QUOTA })
  expect(await statuses(3)).toEqual([202, 202, 202])
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = ingest.server.server.address() as AddressInfo
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?sessionId=${randomUUID()}&key=${keys.write}`)
  await once(socket, 'open')
  socket.send(JSON.stringify([{ type: 'EVENT', timestamp: now, name: 'e' }]))
  const [data] = (await once(socket, 'message')) as [RawData]
  expect(JSON.parse((data as Buffer).toString())).toMatchObject({ error: { code: 'HOP_QUOTA' }, message: 1 })
  expect(socket.readyState).toBe(socket.OPEN)
  socket.terminate()
})

it('several processes share a quota, a few seconds behind each other, in any order of their starts', async () => {
  const app = { id: 'shop', timezone: 'UTC', quota_bytes: QUOTA } as App
  const { registry } = ingest.storage
  const logger = { info: () => undefined, error: () => undefined }
  const [first, second] = [new Quotas(registry, logger, pauses), new Quotas(registry, logger, pauses)]
  await second.assertRoom(app)
  first.add(app, { bytes: QUOTA - 1, events: 9 }, now)
  await first.assertRoom(app)
  second.add(app, { bytes: 1, events: 1 }, now)
  for (const quotas of [first, second])
    await vi.waitFor(() => expect(quotas.assertRoom(app)).rejects.toThrow('quota of 10000 bytes'), { timeout: 5_000 })
  await Promise.all([first.close(), second.close()])
  const later = new Quotas(registry, logger, pauses)
  await expect(later.assertRoom(app)).rejects.toThrow('quota of 10000 bytes')
  await later.close()
})

it('continues while the registry is unavailable, and stores its counts afterwards', async () => {
  const { registry } = ingest.storage
  let isAway = true
  let failures = 0
  const awayAtTimes = {
    usages: new Proxy(registry.usages, {
      get:
        (usages, name) =>
        async (...parameters: unknown[]) => {
          if (isAway) {
            failures++
            throw new Error('away')
          }
          return (usages as unknown as Record<string | symbol, (...all: unknown[]) => unknown>)[name]!(...parameters)
        },
    }),
  } satisfies Pick<Registry, 'usages'>
  const app = { id: 'shop', timezone: 'UTC', quota_bytes: QUOTA } as App
  const quotas = new Quotas(awayAtTimes, { info: () => undefined, error: () => undefined }, pauses)
  await quotas.assertRoom(app)
  quotas.add(app, { bytes: QUOTA, events: 2 }, now)
  await expect(quotas.assertRoom(app)).rejects.toThrow('quota')
  await vi.waitFor(() => expect(failures).toBeGreaterThan(1))
  isAway = false
  await quotas.close()
  expect(await stored()).toMatchObject([{ app: 'shop', bytes: QUOTA, events: 2 }])
})

it('waits for a registry that does not answer once, and not for long', async () => {
  const silent = new Proxy(ingest.storage.registry.usages, { get: () => () => new Promise(() => undefined) })
  const app = { id: 'shop', timezone: 'UTC', quota_bytes: QUOTA } as App
  const logger = { info: () => undefined, error: () => undefined }
  const quotas = new Quotas({ usages: silent }, logger, { readEveryMs: 10_000, storeEveryMs: 10_000 })
  const begin = performance.now()
  await quotas.assertRoom(app)
  const first = performance.now() - begin
  expect(first).toBeGreaterThan(900)
  for (let index = 0; index < 100; index++) await quotas.assertRoom(app)
  expect(performance.now() - begin - first).toBeLessThan(500)
  await quotas.close()
})
