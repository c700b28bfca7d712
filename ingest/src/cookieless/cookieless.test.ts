import { HopperError, type Envelope, type ErrorBody, type EventsAnswer } from '@hopper/contracts'
import { fastify } from 'fastify'
import { Registry as Metrics } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ingestPlugin } from '../index.ts'
import { browser, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'
import { visitorAddress } from './visitor-address.ts'

const NOON = Date.UTC(2026, 10, 20, 12)
const HOUR = 3_600_000
const DAY = 24 * HOUR
const UUID_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** one proxy is trusted, which has appended the last address */
const oneProxy = { trustProxy: (_address: string, hop: number) => hop < 1 }

let now = NOON
let ingest: IngestServer
/** ends of the log before the test */
let ends: number[]
beforeAll(async () => void (ingest = await openIngest({ clock: () => now }, oneProxy)))
afterAll(() => ingest[Symbol.asyncDispose]())
// each test has days of its own
beforeEach(async () => {
  now = Math.floor(now / DAY) * DAY + 10 * DAY + 12 * HOUR
  ends = await ingest.ends()
})

let sent = 0
const event = (more: object = {}): object => ({
  type: 0,
  event_id: `event-${sent++}`,
  timestamp: now,
  name: 'seen',
  seq: 0,
  ...more,
})
const from = (address: string, agent = browser): Record<string, string> => ({
  'x-forwarded-for': address,
  'user-agent': agent,
})
const send = (events: object[], headers = from('203.0.113.9'), more: object = {}): ReturnType<IngestServer['post']> =>
  ingest.post({ cookieless: true, sent_at: now, events, ...more }, headers)

/** Sends one event; returns the device under which it is stored. */
async function deviceOf(headers?: Record<string, string>, more: object = {}): Promise<string> {
  const before = await ingest.ends()
  expect((await send([event(more)], headers)).status).toBe(202)
  const [envelope, ...others] = await ingest.envelopes(before)
  expect(others).toEqual([])
  return envelope!.device_id
}

describe('the device of a cookieless request', () => {
  it('is the same for a browser at an address all day, and of no other', async () => {
    const device = await deviceOf()
    expect(device).toMatch(UUID_8)
    now += 11 * HOUR
    expect(await deviceOf()).toBe(device)
    const others = [await deviceOf(from('203.0.113.10')), await deviceOf(from('203.0.113.9', `${browser} Edg/141`))]
    expect(new Set([device, ...others]).size).toBe(3)
  })

  it('is another one in another app', async () => {
    const device = await deviceOf()
    const payload = JSON.stringify({ cookieless: true, events: [event()] })
    const headers = { 'content-type': 'text/plain', ...from('203.0.113.9') }
    const url = `/v1/events?key=${keys.bound}`
    expect((await ingest.server.inject({ method: 'POST', url, payload, headers })).statusCode).toBe(202)
    const [foreign] = (await ingest.envelopes(ends)).filter(({ app }) => app === 'bound')
    expect(foreign!.device_id).not.toBe(device)
  })

  it('is another one on the next day', async () => {
    const device = await deviceOf()
    now += 24 * HOUR
    expect(await deviceOf()).not.toBe(device)
  })

  it('is that of the address that the trusted proxy saw, whatever the visitor claims', async () => {
    const device = await deviceOf()
    expect(await deviceOf(from('198.51.100.1, 203.0.113.9'))).toBe(device)
    expect(await deviceOf(from('203.0.113.9, 198.51.100.1'))).not.toBe(device)
  })

  it('is the same from every ingest process of an installation, also when they start at once', async () => {
    const { log, registry, secrets } = ingest.storage
    const servers = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const server = fastify(oneProxy)
        const health = (): ReturnType<typeof ingest.storage.health> => ingest.storage.health()
        await server.register(ingestPlugin, {
          ...{ log, registry, secrets, health, metrics: new Metrics(), clock: () => now },
        })
        return server
      }),
    )
    const url = `/v1/events?key=${keys.write}`
    await Promise.all(
      servers.map(async (server) => {
        const payload = JSON.stringify({ cookieless: true, events: [event()] })
        const headers = { 'content-type': 'text/plain', ...from('203.0.113.9') }
        expect((await server.inject({ method: 'POST', url, payload, headers })).statusCode).toBe(202)
        await server.close()
      }),
    )
    expect(new Set((await ingest.envelopes(ends)).map(({ device_id }) => device_id)).size).toBe(1)
  })
})

describe('an event that is delivered late', () => {
  let midnight: number
  beforeEach(() => void (midnight = now + 12 * HOUR))

  const storedEvents = async (): Promise<[device: string, id: string][]> =>
    (await ingest.envelopes(ends)).flatMap(({ device_id, events }) =>
      events.map(({ event_id }): [string, string] => [device_id, event_id]),
    )

  it('has the device of its own day, so a batch that is sent again after midnight counts once', async () => {
    now = midnight - 1_000
    const batch = [event({ timestamp: midnight - 2_000 }), event({ timestamp: midnight - 1_500 })]
    await send(batch)
    now = midnight + 23 * HOUR
    await send(batch)
    const stored = await storedEvents()
    expect(stored.length).toBe(4)
    expect(new Set(stored.map(String)).size).toBe(2)
  })

  it('is stored with others of its request by their days: one envelope for each', async () => {
    now = midnight + 1_000
    await send([event({ timestamp: midnight - 1_000 }), event({ timestamp: midnight + 500 })])
    expect(new Set((await storedEvents()).map(([device]) => device)).size).toBe(2)
  })

  it('has the device of tomorrow when the clock of its browser is a little ahead', async () => {
    now = midnight - 2_000
    const ahead = await deviceOf(undefined, { timestamp: midnight + 1_000 })
    now = midnight + HOUR
    expect(await deviceOf()).toBe(ahead)
  })

  it('has the device of the day of its receipt when the salt of its own day is gone', async () => {
    const today = await deviceOf()
    expect(await deviceOf(undefined, { timestamp: now - 48 * HOUR })).toBe(today)
    expect(await deviceOf(undefined, { timestamp: now - 24 * HOUR })).not.toBe(today)
  })
})

describe('a cookieless request', () => {
  it('stores no session: readers derive it from the events', async () => {
    await send([event()])
    const [stored] = (await ingest.envelopes(ends)) as [Envelope]
    expect(stored).not.toHaveProperty('session_id')
    expect(stored.events[0]).not.toHaveProperty('session_id')
    // Its numbers are not those of one session, so losses must not be measured by them.
    expect(stored.context).not.toHaveProperty('numbered')
  })

  it('drops the ids that its sender sends nevertheless, and reports that as changes', async () => {
    const device = await deviceOf()
    const before = await ingest.ends()
    const ids = { device_id: 'fingerprint', session_id: 'one' }
    const { body } = await send([event(ids)], undefined, ids)
    const change = (index: number | null, path: string): object => ({ index, path, reason: 'cookieless' })
    expect((body as EventsAnswer).changed).toEqual([
      change(null, 'device_id'),
      change(null, 'session_id'),
      change(0, 'device_id'),
      change(0, 'session_id'),
    ])
    const stored = await ingest.envelopes(before)
    expect(stored).toMatchObject([{ device_id: device }])
    expect(JSON.stringify(stored)).not.toMatch(/fingerprint|"one"/)
  })

  it('keeps its valid events beside rejected ones, which have no device of their own', async () => {
    const { body } = await send([{ type: 0, device_id: 'x' }, event()])
    expect(body).toMatchObject({ accepted: 1, rejected: [{ index: 0, reason: 'missing_field' }] })
    expect(await ingest.envelopes(ends)).toMatchObject([{ events: [{}], rejected: [{}] }])
  })

  it('is like any other when `cookieless` is not true', async () => {
    const { body } = await ingest.post({ cookieless: 'yes', device_id: 'd', events: [event()] })
    expect(body).toMatchObject({ accepted: 1, changed: [{ path: 'cookieless', reason: 'wrong_type' }] })
    expect(await ingest.envelopes(ends)).toMatchObject([{ device_id: 'd' }])
  })

  it('is asked to retry while the salts cannot be read; other requests are not', async () => {
    let isAvailable = false
    const { secrets } = ingest.storage
    const other = await openIngest({
      clock: () => now,
      secrets: {
        secret: (...args) =>
          isAvailable ? secrets.secret(...args) : Promise.reject(new HopperError('HOP_STORE_UNAVAILABLE')),
        removeExpired: async () => undefined,
      },
    })
    const body = { cookieless: true, events: [event()] }
    const refused = await other.post(body)
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '1', 'access-control-allow-origin': '*' } })
    expect((refused.body as ErrorBody).error.code).toBe('HOP_STORE_UNAVAILABLE')
    expect((await other.post({ device_id: 'd', events: [event()] })).status).toBe(202)
    isAvailable = true
    expect((await other.post(body)).status).toBe(202)
    await other[Symbol.asyncDispose]()
  })
})

it.each([
  ['203.0.113.9', '203.0.113.9'],
  ['203.0.113.9:4711', '203.0.113.9'],
  ['::ffff:203.0.113.9', '203.0.113.9'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:DB8:1:2::5', '2001:db8:1:2'],
  ['[2001:db8:1:2::5]:443', '2001:db8:1:2'],
  ['2001:db8::5', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['unknown', 'unknown'],
  ['', ''],
])('the address %s identifies its network as %s', (sent, expected) => {
  expect(visitorAddress(sent)).toBe(expected)
})
