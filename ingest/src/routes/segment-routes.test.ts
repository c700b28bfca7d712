import { gzipSync } from 'node:zlib'
import type { ErrorBody, EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { boundOrigin, browser, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

const NOW = Date.parse('2026-05-01T12:00:00Z')
let ingest: IngestServer
let begin: readonly number[]
beforeAll(async () => {
  ingest = await openIngest({ clock: () => NOW })
})
beforeEach(async () => {
  begin = await ingest.ends()
})
afterAll(() => ingest[Symbol.asyncDispose]())

type Answer = EventsAnswer & { success?: boolean; ids?: string[] } & Partial<ErrorBody>
const basic = { authorization: `Basic ${btoa(`${keys.write}:`)}` }

async function send(
  url: string,
  body: unknown,
  headers: Record<string, string> = basic,
): Promise<{ status: number; body: Answer; headers: Record<string, unknown> }> {
  const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const answer = await ingest.server.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: answer.statusCode, body: answer.json<Answer>(), headers: answer.headers }
}

/** Returns the events that the test has brought into the log, with their device and context. */
async function logged(): Promise<Record<string, unknown>[]> {
  const envelopes = await ingest.envelopes(begin)
  return envelopes.flatMap(({ device_id, context, events }) =>
    events.map((event) => ({ device_id, context, ...event })),
  )
}

const track = (event: string, more: object = {}): object => ({
  type: 'track',
  event,
  messageId: `m-${event}`,
  anonymousId: 'anon-1',
  timestamp: '2026-05-01T11:59:00.000Z',
  ...more,
})

it('stores a batch, and answers as its clients expect', async () => {
  const { status, body } = await send('/v1/batch', {
    batch: [track('a'), { type: 'identify', userId: 'ann', anonymousId: 'anon-1', messageId: 'm-i', traits: { p: 1 } }],
    sentAt: new Date(NOW),
  })
  expect([status, body]).toEqual([200, { success: true, accepted: 2, rejected: [] }])
  expect(await logged()).toMatchObject([
    { device_id: 'anon-1', event_id: 'm-a', type: 'custom', name: 'a', timestamp: NOW - 60_000 },
    { device_id: 'anon-1', event_id: 'm-i', type: 'identify', user_id: 'ann', data: { p: 1 }, timestamp: NOW },
  ])
})

it('rejects single messages of a batch by name, and keeps the others', async () => {
  const { status, body } = await send('/v1/batch', {
    batch: [track('a'), { type: 'track' }, null, track('b', { timestamp: 'yesterday' }), track('c')],
  })
  expect(status).toBe(200)
  expect(body).toMatchObject({
    success: true,
    accepted: 2,
    rejected: [
      { index: 1, reason: 'missing_field', message: expect.stringContaining('"event"') },
      { index: 2, reason: 'not_an_object' },
      { index: 3, reason: 'invalid_field' },
    ],
  })
  expect((await logged()).map((event) => event['name'])).toEqual(['a', 'c'])
})

it('gives a batch that is sent again the same ids, so that it counts once', async () => {
  const batch = { batch: [track('a'), track('b', { messageId: undefined })], sentAt: new Date(NOW) }
  await send('/v1/batch', batch)
  await send('/v1/batch', { ...batch, sentAt: new Date(NOW + 1_000) })
  const ids = (await logged()).map((event) => event['event_id'])
  expect(ids).toHaveLength(4)
  expect(new Set(ids).size).toBe(2)
})

it('corrects the times of a client whose clock is an hour late, and keeps its own', async () => {
  const hour = 3_600_000
  const timestamp = new Date(NOW - hour - 60_000).toISOString()
  await send('/v1/batch', { batch: [track('a', { timestamp })], sentAt: new Date(NOW - hour) })
  expect(await logged()).toMatchObject([{ timestamp: NOW - 60_000, client_time: NOW - hour - 60_000 }])
})

it('derives the device of a user that a server sends without a device', async () => {
  await send('/v1/batch', { batch: [{ type: 'track', event: 'a', userId: 5, messageId: 'm' }] })
  await send('/v1/track', { event: 'b', userId: '5', messageId: 'n' })
  const [first, second] = await logged()
  expect(first).toMatchObject({ user_id: '5', context: { device: 'server' } })
  expect(second!['device_id']).toBe(first!['device_id'])
})

it('stores what the context says of the visitor', async () => {
  const context = {
    userAgent: browser,
    campaign: { name: 'spring', source: 'news' },
    page: { url: 'https://shop.example/cart?x=1', referrer: 'https://search.example/q?secret' },
  }
  await send('/v1/page', { anonymousId: 'anon-1', messageId: 'm', name: 'Cart', context })
  expect(await logged()).toMatchObject([
    {
      type: 'url_change',
      from: 'https://search.example/q',
      to: 'https://shop.example/cart',
      elapsed_time: 0,
      context: {
        device: 'desktop',
        browser: 'Chrome',
        referrer: 'search.example/q',
        utm: { utm_campaign: 'spring', utm_source: 'news' },
      },
    },
  ])
})

it('names a name and a category of a page as not stored', async () => {
  const { body } = await send('/v1/page', { anonymousId: 'a', name: 'Cart', properties: { url: 'https://s.example/' } })
  expect(body.changed).toEqual([{ index: 0, path: 'name', reason: 'unknown_field' }])
})

test.each([
  ['/v1/track', { event: 'x' }, { type: 'custom', name: 'x' }],
  ['/v1/t', { event: 'x' }, { type: 'custom', name: 'x' }],
  ['/v1/page', {}, { type: 'custom', name: 'page' }],
  ['/v1/p', {}, { type: 'custom', name: 'page' }],
  ['/v1/screen', {}, { type: 'custom', name: 'screen' }],
  ['/v1/s', {}, { type: 'custom', name: 'screen' }],
  ['/v1/identify', { userId: 'ann' }, { type: 'identify', user_id: 'ann' }],
  ['/v1/i', { userId: 'ann' }, { type: 'identify', user_id: 'ann' }],
  ['/v1/group', { groupId: 'g' }, { type: 'custom', name: 'group' }],
  ['/v1/g', { groupId: 'g' }, { type: 'custom', name: 'group' }],
  ['/v1/alias', { previousId: 'p', userId: 'ann' }, { type: 'identify', device_id: 'p', user_id: 'ann' }],
  ['/v1/a', { previousId: 'p', userId: 'ann' }, { type: 'identify', device_id: 'p', user_id: 'ann' }],
  ['/v1/batch', { batch: [track('x')] }, { type: 'custom', name: 'x' }],
  ['/v1/import', { batch: [track('x')] }, { type: 'custom', name: 'x' }],
  ['/v1/b', { batch: [track('x')] }, { type: 'custom', name: 'x' }],
])('%s takes its message', async (url, body, expected) => {
  const answer = await send(url, { anonymousId: 'anon-1', messageId: 'm', ...body })
  expect([answer.status, answer.body.success, answer.body.accepted]).toEqual([200, true, 1])
  expect(await logged()).toMatchObject([expected])
})

describe('the key', () => {
  const body = { batch: [track('a')] }
  test.each([
    ['a user name', '/v1/batch', body, basic],
    ['a token', '/v1/batch', body, { authorization: `Bearer ${keys.write}` }],
    ['a header', '/v1/batch', body, { 'x-api-key': keys.write }],
    ['the address', `/v1/batch?key=${keys.write}`, body, {}],
    ['the body', '/v1/batch', { ...body, writeKey: keys.write }, {}],
    ['the body of a single message', '/v1/track', { ...track('a'), writeKey: keys.write }, {}],
  ])('may be %s', async (_name, url, sent, headers) => {
    const { status } = await send(url, sent, headers)
    expect([status, (await logged()).length]).toEqual([200, 1])
  })

  it('is needed, must be known and must be one for writing', async () => {
    const codeOf = async (writeKey: unknown, url = '/v1/batch'): Promise<unknown> =>
      (await send(url, { ...body, ...track('a'), writeKey }, {})).body.error?.code
    expect(await codeOf(undefined)).toBe('HOP_KEY_MISSING')
    expect(await codeOf(undefined, '/v1/track')).toBe('HOP_KEY_MISSING')
    expect(await codeOf(5)).toBe('HOP_KEY_MISSING')
    expect(await codeOf('hw_unknown')).toBe('HOP_KEY_UNKNOWN')
    expect(await codeOf(keys.read)).toBe('HOP_KEY_POWER')
    expect(await logged()).toEqual([])
  })

  it('in the body belongs to the origins of its app', async () => {
    const code = async (origin: string): Promise<unknown> =>
      (await send('/v1/batch', { ...body, writeKey: keys.bound }, { origin })).body.error?.code
    expect(await code('https://evil.example')).toBe('HOP_ORIGIN')
    expect(await code(boundOrigin)).toBeUndefined()
  })
})

it('takes the body of a form in gzip, as the client of RudderStack for Node names it', async () => {
  const { status } = await send('/v1/batch', gzipSync(JSON.stringify({ batch: [track('a')] })), {
    ...basic,
    'content-type': 'application/x-www-form-urlencoded',
    'content-encoding': 'gzip',
  })
  expect([status, (await logged()).length]).toEqual([200, 1])
})

test.each([
  ['{}', 'HOP_BODY_INVALID'],
  ['[]', 'HOP_BODY_INVALID'],
  ['{', 'HOP_BODY_INVALID'],
  [JSON.stringify({ batch: Array.from({ length: 1_001 }, () => 0) }), 'HOP_BODY_TOO_LARGE'],
  [gzipSync(`{"batch":[${' '.repeat(2_000_000)}]}`), 'HOP_BODY_TOO_LARGE'],
])('refuses a body that is no batch: %#', async (body, code) => {
  const gzip = Buffer.isBuffer(body) ? { 'content-encoding': 'gzip' } : {}
  expect((await send('/v1/batch', body, { ...basic, ...gzip })).body.error?.code).toBe(code)
})

it('leaves our own shape of track and identify as it is', async () => {
  const tracked = await send('/v1/track', { anonymousId: 'a', type: 'signed_up', data: { plan: 'pro' } })
  expect([tracked.status, tracked.body.ids]).toEqual([202, [expect.stringMatching(/^evt_/)]])
  const identified = await send('/v1/identify', { anonymousId: 'a', userId: 'ann', traits: { plan: 'pro' } })
  expect([identified.status, identified.body.ids]).toEqual([202, [expect.stringMatching(/^evt_/)]])
})

describe('the browser client', () => {
  const settings = (key: string, headers: Record<string, string> = {}) =>
    ingest.server.inject({ url: `/v1/projects/${key}/settings`, headers: { host: 'in.example:8443', ...headers } })

  it('gets settings that name this host', async () => {
    const answer = await settings(keys.write)
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, '*'])
    expect(answer.json()).toMatchObject({
      integrations: { 'Segment.io': { apiKey: keys.write, apiHost: 'in.example:8443/v1', protocol: 'http' } },
      metrics: { sampleRate: 0 },
    })
  })

  it('gets https where a proxy says that the page came by it', async () => {
    const answer = await settings(keys.write, { 'x-forwarded-proto': 'https' })
    expect(answer.json()).toMatchObject({ integrations: { 'Segment.io': { protocol: 'https' } } })
  })

  it('gets no settings with a key that is none', async () => {
    expect((await settings('hw_unknown')).statusCode).toBe(401)
    expect((await settings(keys.read)).statusCode).toBe(403)
  })

  it('may send the header of a retry', async () => {
    const preflight = await ingest.server.inject({
      method: 'OPTIONS',
      url: '/v1/t',
      headers: {
        origin: 'https://any.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,x-retry-count',
      },
    })
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([204, '*'])
    expect(preflight.headers['access-control-allow-headers']).toMatch(/authorization.*x-retry-count/)
  })

  it('may read how long to wait', async () => {
    await using away = await openIngest()
    await away.closeStorage()
    const refused = await away.server.inject({ method: 'POST', url: '/v1/t', payload: track('a'), headers: basic })
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, expect.anything()])
    expect(refused.headers['access-control-expose-headers']).toBe('retry-after')
  })

  it('is answered when it reports figures about itself', async () => {
    const { status, body } = await send('/v1/m', { series: [] }, { 'content-type': 'text/plain' })
    expect([status, body, await logged()]).toEqual([200, { success: true }, []])
  })
})
