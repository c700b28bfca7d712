import { runInNewContext } from 'node:vm'
import { gzipSync } from 'node:zlib'
import type { ErrorBody, EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

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

type Answer = EventsAnswer & { status?: number } & Partial<ErrorBody>

async function send(
  url: string,
  payload: string | Buffer,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; body: Answer }> {
  const answer = await ingest.server.inject({ method: 'POST', url, payload, headers })
  return { status: answer.statusCode, body: answer.json<Answer>() }
}

async function logged(): Promise<Record<string, unknown>[]> {
  const envelopes = await ingest.envelopes(begin)
  return envelopes.flatMap(({ device_id, context, events }) =>
    events.map((event) => ({ device_id, context, ...event })),
  )
}

const event = { event: 'added', uuid: 'u-1', distinct_id: 'ann', properties: { plan: 'pro' } }
const batch = { api_key: keys.write, batch: [event], sent_at: new Date(NOW).toISOString() }
const json = JSON.stringify(batch)
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const text = { 'content-type': 'text/plain' }
const base64 = (bytes: string | Buffer): string => Buffer.from(bytes).toString('base64')

test.each(['/batch', '/e', '/i/v0/e', '/capture', '/track', '/engage'].flatMap((url) => [url, `${url}/`]))(
  '%s takes events, and answers as its clients expect',
  async (url) => {
    const { status, body } = await send(url, json)
    expect([status, body]).toEqual([200, { status: 1, accepted: 1, rejected: [] }])
    expect(await logged()).toMatchObject([
      { type: 'custom', name: 'added', event_id: 'u-1', user_id: 'ann', data: { plan: 'pro' }, timestamp: NOW },
    ])
  },
)

test.each<[string, string, string | Buffer, Record<string, string>]>([
  ['JSON as text', '/e/', json, text],
  ['gzip that the address names', '/e/?compression=gzip-js', gzipSync(json), text],
  ['gzip that nothing names', '/e/', gzipSync(json), text],
  ['gzip that a header names', '/batch/', gzipSync(json), { ...text, 'content-encoding': 'gzip' }],
  ['base64 in a form', '/e/?compression=base64', `data=${encodeURIComponent(base64(json))}`, form],
  ['base64 in a form, not escaped', '/e/?compression=base64', `data=${base64(json)}`, form],
  ['base64 in a form with more fields', '/e/', `data=${encodeURIComponent(base64(json))}&compression=base64`, form],
  ['base64 of gzip in a form', '/e/', `data=${encodeURIComponent(base64(gzipSync(json)))}`, form],
  ['base64', '/e/?compression=base64', base64(json), text],
  ['JSON in a form', '/e/', new URLSearchParams({ data: json }).toString(), form],
  ['a body without a type', '/e/', json, {}],
])('takes %s', async (_name, url, body, headers) => {
  expect((await send(url, body, headers)).status).toBe(200)
  expect(await logged()).toMatchObject([{ event_id: 'u-1', name: 'added', data: { plan: 'pro' } }])
})

test.each([
  ['one event', { ...event, api_key: keys.write }],
  ['one event with a token', { ...event, token: keys.write }],
  ['one event with a token among its properties', { ...event, properties: { plan: 'pro', token: keys.write } }],
  ['a list', [{ ...event, properties: { plan: 'pro', token: keys.write } }]],
  ['a batch with the key in its event', { batch: [{ ...event, properties: { plan: 'pro', token: keys.write } }] }],
])('takes %s', async (_name, body) => {
  expect((await send('/e/', JSON.stringify(body))).status).toBe(200)
  expect(await logged()).toMatchObject([{ event_id: 'u-1', data: { plan: 'pro' } }])
})

it('rejects single events by name, and keeps the others', async () => {
  const { body } = await send('/batch/', JSON.stringify({ ...batch, batch: [event, 5, { event: '$snapshot' }] }))
  expect(body).toMatchObject({
    status: 1,
    accepted: 1,
    rejected: [
      { index: 1, reason: 'not_an_object' },
      { index: 2, reason: 'unknown_type', message: expect.stringContaining('disable_session_recording') },
    ],
  })
})

it('corrects the times of a client whose clock is an hour late, by its body or its address', async () => {
  const hour = 3_600_000
  const late = [{ ...event, timestamp: new Date(NOW - hour - 60_000).toISOString() }]
  await send('/batch/', JSON.stringify({ ...batch, batch: late, sent_at: new Date(NOW - hour) }))
  await send(`/e/?_=${NOW - hour}`, JSON.stringify({ ...late[0], token: keys.write }))
  const expected = { timestamp: NOW - 60_000, client_time: NOW - hour - 60_000 }
  expect(await logged()).toMatchObject([expected, expected])
})

it('marks a migration as an import of the past', async () => {
  await send('/batch/', JSON.stringify({ ...batch, historical_migration: true }))
  expect(await logged()).toMatchObject([{ context: { historical: true } }])
})

test.each<[string | Buffer, string, string]>([
  ['{', '/e/', 'HOP_BODY_INVALID'],
  ['5', '/e/', 'HOP_KEY_MISSING'],
  ['data=%', '/e/', 'HOP_BODY_INVALID'],
  ['data=', '/e/', 'HOP_BODY_INVALID'],
  [json, '/e/?compression=lz64', 'HOP_BODY_TYPE'],
  [gzipSync(' '.repeat(2_000_000)), '/e/?compression=gzip-js', 'HOP_BODY_TOO_LARGE'],
  [`data=${base64(gzipSync(' '.repeat(2_000_000)))}`, '/e/', 'HOP_BODY_TOO_LARGE'],
  [Buffer.concat([gzipSync(json).subarray(0, 20), Buffer.from('broken')]), '/e/', 'HOP_BODY_INVALID'],
  [JSON.stringify(event), '/e/', 'HOP_KEY_MISSING'],
  [JSON.stringify({ ...event, api_key: keys.read }), '/e/', 'HOP_KEY_POWER'],
  [JSON.stringify({ ...event, api_key: 'phc_unknown' }), '/e/', 'HOP_KEY_UNKNOWN'],
])('refuses a body that cannot be read, or has no key: %#', async (body, url, code) => {
  expect((await send(url, body, text)).body.error?.code).toBe(code)
  expect(await logged()).toEqual([])
})

describe('the calls before events are sent', () => {
  it('is that no flag is on, whatever the body', async () => {
    for (const url of ['/flags/?v=2', '/flags?v=2', '/decide/?v=3', '/decide']) {
      const answer = await ingest.server.inject({ method: 'POST', url, payload: gzipSync('x'), headers: text })
      expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, '*'])
      expect(answer.json()).toMatchObject({ featureFlags: {}, flags: {}, errorsWhileComputingFlags: false })
    }
  })

  it('has everything turned off but events', async () => {
    const answer = await ingest.server.inject({ url: `/array/${keys.write}/config` })
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([200, '*'])
    expect(answer.json()).toMatchObject({ sessionRecording: false, hasFeatureFlags: false, siteApps: [] })
    const script = await ingest.server.inject({ url: `/array/${keys.write}/config.js` })
    expect(script.headers['content-type']).toBe('text/javascript; charset=utf-8')
    const window: { _POSTHOG_REMOTE_CONFIG?: unknown } = {}
    runInNewContext(script.body, { window })
    expect(JSON.parse(JSON.stringify(window._POSTHOG_REMOTE_CONFIG))).toEqual({
      [keys.write]: { config: answer.json(), siteApps: [] },
    })
  })

  it('needs a key that exists', async () => {
    for (const path of ['config', 'config.js'])
      expect((await ingest.server.inject({ url: `/array/hw_unknown/${path}` })).statusCode).toBe(401)
  })
})

test.each([
  ['POST', '/s/?compression=gzip-js'],
  ['POST', '/s'],
  ['GET', '/static/array.js'],
  ['GET', '/static/recorder.js?v=1'],
] as const)('%s %s is refused in words: it is not supported', async (method, url) => {
  const answer = await ingest.server.inject({ method, url, ...(method === 'POST' && { payload: '[]' }) })
  expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([404, '*'])
  expect(answer.json<ErrorBody>().error).toMatchObject({
    code: 'HOP_NOT_SUPPORTED',
    message: expect.stringContaining('docs/clients.md'),
  })
})
