import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { limits, type ErrorBody, type EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { keys, openIngest, type IngestServer } from './ingest-server.fixture.ts'

let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest()
})
afterAll(() => ingest[Symbol.asyncDispose]())

const click = (more: object = {}) => ({
  type: 1,
  target: '//a',
  elapsed_time: 5,
  current_url: 'https://shop.example/',
  ...more,
})
const batch = (...events: unknown[]) => ({ device_id: 'd', events })
const errorOf = async (body: unknown, headers?: Record<string, string>): Promise<string> => {
  const answer = await ingest.post(body, headers)
  const { error } = answer.body as ErrorBody
  expect(error.message.length).toBeGreaterThan(20)
  return `${answer.status} ${error.code}`
}
const verdict = async (event: unknown): Promise<string> => {
  const answer = await ingest.post(batch(event))
  expect(answer.status).toBe(202)
  const { accepted, rejected } = answer.body as EventsAnswer
  expect(accepted + rejected.length).toBe(1)
  return rejected[0] ? `${rejected[0].reason}: ${rejected[0].message}` : 'accepted'
}

describe('a body that cannot be read', () => {
  it.each([
    ['nothing', ''],
    ['malformed JSON', '{"events": ['],
    ['a number', '7'],
    ['null', 'null'],
    ['an array', '[]'],
    ['no events', '{}'],
    ['events that are not an array', '{"events": {"0": {}}}'],
    ['events hidden in __proto__', '{"__proto__": {"events": []}}'],
    ['a device_id that is not a string', '{"device_id": 7, "events": []}'],
    ['a sent_at that is not a time', '{"sent_at": "now", "events": []}'],
    ['a sent_at outside the calendar', '{"sent_at": 1e300, "events": []}'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['an overlong UTF-8 sequence', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
  ])('is 400: %s', async (_name, body) => {
    expect(await errorOf(body)).toBe('400 HOP_BODY_INVALID')
  })

  it('is 413 over 1 MB and over 1,000 events', async () => {
    expect(await errorOf(`{"events":[],"x":"${'y'.repeat(limits.bodyBytesMax)}"}`)).toBe('413 HOP_BODY_TOO_LARGE')
    expect(await errorOf(batch(...Array.from({ length: 1_001 }, () => 1)))).toBe('413 HOP_BODY_TOO_LARGE')
  })

  it('is 415 with another type or encoding', async () => {
    expect(await errorOf('<a/>', { 'content-type': 'application/xml' })).toBe('415 HOP_BODY_TYPE')
    expect(await errorOf('{}', { 'content-type': 'application/x-www-form-urlencoded' })).toBe('415 HOP_BODY_TYPE')
    expect(await errorOf('{}', { 'content-encoding': 'zstd' })).toBe('415 HOP_BODY_TYPE')
  })
})

describe('compression', () => {
  const body = Buffer.from(JSON.stringify(batch(click())))

  it.each([
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
  ])('is read: %s', async (encoding, packed) => {
    expect((await ingest.post(packed, { 'content-encoding': encoding })).body).toEqual({ accepted: 1, rejected: [] })
  })

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ] as const)('does not bypass the limit: a %s bomb is 413', async (encoding, pack) => {
    const bomb = pack(Buffer.alloc(50_000_000, ' '))
    expect(bomb.length).toBeLessThan(limits.bodyBytesMax)
    expect(await errorOf(bomb, { 'content-encoding': encoding })).toBe('413 HOP_BODY_TOO_LARGE')
  })

  it('is 400 when the body is not compressed, or cut off', async () => {
    expect(await errorOf(body, { 'content-encoding': 'gzip' })).toBe('400 HOP_BODY_INVALID')
    expect(await errorOf(gzipSync(body).subarray(0, 40), { 'content-encoding': 'gzip' })).toBe('400 HOP_BODY_INVALID')
  })
})

describe('a key', () => {
  const withKey = (headers: Record<string, string>, query = '') =>
    ingest.server.inject({
      method: 'POST',
      url: `/v1/events${query}`,
      payload: '{"events":[]}',
      headers: { 'content-type': 'text/plain', ...headers },
    })

  it('is read from either header or the query', async () => {
    for (const headers of [{ authorization: `Bearer ${keys.write}` }, { 'x-api-key': keys.write }])
      expect((await withKey(headers)).statusCode).toBe(202)
    expect((await withKey({}, `?key=${keys.write}`)).statusCode).toBe(202)
  })

  it.each([
    ['missing', {}, '', 401, 'HOP_KEY_MISSING'],
    ['unknown', { 'x-api-key': 'hw_nobody_0123456789' }, '', 401, 'HOP_KEY_UNKNOWN'],
    ['huge', { 'x-api-key': 'h'.repeat(5_000) }, '', 401, 'HOP_KEY_UNKNOWN'],
    ['given twice', {}, '?key=a&key=b', 401, 'HOP_KEY_MISSING'],
    ['of the read scope', { 'x-api-key': keys.read }, '', 403, 'HOP_KEY_POWER'],
  ])('is refused when %s', async (_name, headers, query, status, code) => {
    const answer = await withKey(headers, query)
    expect([answer.statusCode, answer.json<ErrorBody>().error.code]).toEqual([status, code])
  })
})

describe('an event', () => {
  it.each([
    ['not an object', 7, /^not_an_object/],
    ['an array', [], /^not_an_object/],
    ['without a type', { target: '//a' }, /^unknown_type/],
    ['of an unknown type', click({ type: 9 }), /^unknown_type.*custom, click/],
    ['of a type that every object has', click({ type: 'constructor' }), /^unknown_type/],
    ['with a field missing', { type: 'click', target: '//a', elapsed_time: 1 }, /^missing_field: .*"current_url"/],
    [
      'with an unknown action',
      { type: 3, target: '//a', action: 'hover', elapsed_time: 1 },
      /"action".*"hover-then-leave", or must be "hover-then-clicked"/,
    ],
    ['too large', click({ x: 'y'.repeat(limits.eventBytesMax) }), /^too_large/],
    ['years ahead', click({ timestamp: Date.now() + 3 * 365 * 86_400_000 }), /^too_far_ahead/],
    ['years ago', click({ timestamp: '1999-12-31T23:59:59.999Z' }), /^too_old/],
    ['in seconds since the epoch', click({ timestamp: Math.floor(Date.now() / 1000) }), /^too_old.*milliseconds/],
    ['at no time', click({ timestamp: 'yesterday' }), /^invalid_field: .*"timestamp".*2026-01-31T12:00:00Z/],
    ['outside the calendar', click({ timestamp: 1e300 }), /^invalid_field: .*"timestamp"/],
  ])('is rejected with an explanation: %s', async (_name, event, expected) => {
    expect(await verdict(event)).toMatch(expected)
  })

  it('needs a device', async () => {
    const answer = await ingest.post({ events: [click()] })
    expect(answer.body).toMatchObject({ accepted: 0, rejected: [{ index: 0, reason: 'no_device' }] })
  })

  it('nested deeper than the stack allows is rejected alone', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const answer = await ingest.post(`{"device_id":"d","events":[{"type":1,"x":${deep}},${JSON.stringify(click())}]}`)
    expect(answer.body).toMatchObject({ accepted: 1, rejected: [{ index: 0, reason: 'too_large' }] })
  })

  it('with __proto__ and constructor keys affects nothing else', async () => {
    const answer = await ingest.post(
      '{"device_id":"proto","events":[{"type":0,"name":"n","__proto__":{"user_id":"evil"},' +
        '"constructor":{"prototype":{"x":1}},"data":{"__proto__":"p","constructor":"c"}}]}',
    )
    expect(answer.body).toMatchObject({
      accepted: 1,
      rejected: [],
      changed: [{ path: '__proto__' }, { path: 'constructor' }],
    })
    const stored = (await ingest.envelopes()).find(({ device_id }) => device_id === 'proto')!.events[0]!
    expect(stored).not.toHaveProperty('user_id')
    expect(JSON.stringify(stored)).toContain('"data":{"__proto__":"p","constructor":"c"}')
    expect(({} as { x?: number }).x).toBeUndefined()
  })
})

it('keeps the good events of a mixed batch and lists the bad ones by index', async () => {
  const answer = await ingest.post({
    device_id: 'mixed',
    events: [click({ event_id: 'a' }), 7, click({ event_id: 'b', target: '' }), click({ event_id: 'c' })],
  })
  expect(answer.body).toMatchObject({
    accepted: 2,
    rejected: [
      { index: 1, reason: 'not_an_object' },
      { index: 2, reason: 'invalid_field' },
    ],
  })
  const [envelope, ...others] = (await ingest.envelopes()).filter(({ device_id }) => device_id === 'mixed')
  expect(others).toEqual([])
  expect(envelope!.events.map(({ event_id }) => event_id)).toEqual(['a', 'c'])
  expect(envelope!.rejected).toEqual([{ reason: 'not_an_object' }, { event_id: 'b', reason: 'invalid_field' }])
})

it('answers 404 for unknown paths and 405 for other methods', async () => {
  const code = async (method: 'GET' | 'PUT' | 'POST', url: string) => {
    const answer = await ingest.server.inject({ method, url })
    return `${answer.statusCode} ${answer.json<ErrorBody>().error.code}`
  }
  expect(await code('GET', '/v1/events')).toBe('405 HOP_METHOD')
  expect(await code('PUT', '/v1/events')).toBe('405 HOP_METHOD')
  expect(await code('POST', '/v1/config')).toBe('405 HOP_METHOD')
  expect(await code('GET', '/v1/nothing?key=secret')).toBe('404 HOP_NOT_FOUND')
})

describe('an event that is older than its app keeps events', () => {
  const day = 86_400_000
  const old = (days: number): object => click({ timestamp: Date.now() - days * day })
  const limited = async (more: object): Promise<IngestServer> => {
    const limitedIngest = await openIngest()
    const { registry } = limitedIngest.storage
    await registry.apps.put('acme', 'shop', { ...(await registry.app('shop'))!, ...more })
    return limitedIngest
  }
  const reasons = async (server: IngestServer, ...events: object[]): Promise<unknown> => {
    const answer = await server.post(batch(...events))
    expect(answer.status).toBe(202)
    const { accepted, rejected } = answer.body as EventsAnswer
    return [accepted, ...rejected.map(({ index, reason }) => [index, reason])]
  }

  it('is rejected as expired, and the others of its batch are accepted', async () => {
    await using server = await limited({ retention_days: 30 })
    expect(await reasons(server, old(29), old(32), old(0))).toEqual([2, [1, 'expired']])
    const sent = await server.envelopes()
    expect(sent.map(({ events, rejected }) => [events.length, rejected?.map(({ reason }) => reason)])).toEqual([
      [2, ['expired']],
    ])
  })

  it('is accepted without a limit (control)', async () => {
    await using server = await limited({ retention_days: null })
    expect(await reasons(server, old(29), old(32), old(400))).toEqual([3])
  })

  it('is rejected by the stored date too, after the limit was taken away', async () => {
    await using server = await limited({ retention_days: null })
    const kept_from = new Date(Date.now() - 10 * day).toISOString().slice(0, 10)
    await server.storage.registry.retentions.put('', 'shop', { app: 'shop', kept_from, decided_at: Date.now() })
    expect(await reasons(server, old(9), old(12))).toEqual([1, [1, 'expired']])
  })
})
