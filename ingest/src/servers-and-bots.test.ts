import type { AddressInfo } from 'node:net'
import type { Context, EventsAnswer } from '@hopper/contracts'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { browser, keys, openIngest, type IngestServer } from './ingest-server.fixture.ts'

let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest()
})
afterAll(() => ingest[Symbol.asyncDispose]())

const server = { device: 'server', browser: 'unknown', os: 'unknown' }
const inHeader = { 'x-api-key': keys.write }
let device = 0

/** Sends one event of a new device; returns what the answer and the log say about the sender. */
async function send(
  headers: Record<string, string>,
  body: object = {},
  query = '',
): Promise<{ answer: EventsAnswer; context: Context }> {
  const device_id = `sender-${device++}`
  const payload = JSON.stringify({ device_id, ...body, events: [{ type: 'custom', name: 'sale' }] })
  const url = `/v1/events${query}`
  const answer = await ingest.server.inject({
    method: 'POST',
    url,
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  })
  expect(answer.statusCode).toBe(202)
  return { answer: answer.json<EventsAnswer>(), context: await contextOf(device_id) }
}

async function contextOf(device_id: string): Promise<Context> {
  return (await ingest.envelopes()).find((envelope) => envelope.device_id === device_id)!.context
}

it.each([
  'curl/8.5.0',
  '',
  'my-shop/1.0',
  'k6/0.49.0 (https://k6.io/)',
  'Locust',
  'Apache-HttpClient/5.2',
  'hopper-sdk-go/0.1',
  'HTTP::Tiny/0.076',
  'Googlebot/2.1',
  'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)',
  'Mozilla/5.0 (compatible; MyShop/1.0)',
  'x'.repeat(5_000),
  'Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/141.0.0.0',
])('does not classify a server by its user agent: %s', async (userAgent) => {
  for (const key of [
    inHeader,
    { authorization: `Bearer ${keys.write}` },
    { authorization: `Basic ${btoa(`${keys.write}:`)}` },
  ]) {
    const { answer, context } = await send({ ...key, 'user-agent': userAgent })
    expect(answer).toEqual({ accepted: 1, rejected: [] })
    expect(context).toEqual(server)
  }
})

it('counts events that a server sends with the fetch of Node, with any user agent', async () => {
  await ingest.server.listen({ port: 0, host: '127.0.0.1' })
  const { port } = ingest.server.server.address() as AddressInfo
  for (const headers of [{}, { 'user-agent': 'my-shop/1.0' }]) {
    const body = JSON.stringify({ device_id: `node-${device}`, events: [{ type: 'custom', name: 'sale' }] })
    const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
      method: 'POST',
      body,
      headers: { ...inHeader, ...headers },
    })
    expect(await answer.json()).toEqual({ accepted: 1, rejected: [] })
    expect(await contextOf(`node-${device++}`)).toEqual(server)
  }
})

it("trusts a server that forwards the user agent of a visitor's browser", async () => {
  expect((await send({ ...inHeader, 'user-agent': browser })).context).toEqual({
    device: 'desktop',
    browser: 'Chrome',
    os: 'Linux',
  })
})

it.each([
  ['a crawler that runs the tracker', { origin: 'https://shop.example', 'user-agent': 'Googlebot/2.1' }, 'user_agent'],
  [
    'a page that sends the key in a header',
    { ...inHeader, origin: 'https://shop.example', 'user-agent': 'HeadlessChrome/141' },
    'headless',
  ],
  [
    'a page of the same site',
    { ...inHeader, 'sec-fetch-site': 'same-origin', 'user-agent': 'HeadlessChrome/141' },
    'headless',
  ],
  ['curl with the key in the address', { 'user-agent': 'curl/8.5.0' }, 'user_agent'],
  [
    'a browser without a window, by its brands',
    {
      ...{ origin: 'https://shop.example', 'user-agent': browser, 'accept-language': 'de' },
      'sec-ch-ua': '"Chromium";v="141", "HeadlessChrome";v="141"',
    },
    'headless',
  ],
  ['a page in a browser without a language', { origin: 'https://shop.example', 'user-agent': browser }, 'no_language'],
  ['nobody', { origin: 'https://shop.example', 'user-agent': '' }, 'no_user_agent'],
] as const)('reports events that do not count in its answer: %s', async (_name, headers, reason) => {
  const { answer, context } = await send(headers, {}, `?key=${keys.write}`)
  expect(answer).toEqual({ accepted: 1, rejected: [], bot: 1, bot_reason: reason })
  expect(context.bot).toBe(reason)
})

it.each([
  ['that states its language', { origin: 'https://shop.example', 'accept-language': 'de' }, {}],
  ['behind a proxy that drops its language', { origin: 'https://shop.example' }, { language: 'de' }],
  ['whose headers are those of a script', {}, {}],
])('counts a browser %s', async (_name, headers, body) => {
  const { answer, context } = await send({ 'user-agent': browser, ...headers }, body, `?key=${keys.write}`)
  expect([answer.bot, context.bot]).toEqual([undefined, undefined])
})

it.each([
  [
    { kind: 'user_agent', value: 'GOOGLEBOT', action: 'human' },
    { 'user-agent': 'Googlebot/2.1' },
    { bot_sign: 'human' },
  ],
  [{ kind: 'user_agent', value: 'chrome/141', action: 'bot' }, { 'user-agent': browser }, { bot: 'app_rule' }],
  [{ kind: 'network', value: '127.0.0.0/8', action: 'bot' }, { 'user-agent': browser }, { bot: 'app_rule' }],
  [{ kind: 'network', value: '192.0.2.0/24', action: 'bot' }, { 'user-agent': browser }, {}],
  [{ kind: 'network', value: '127.0.0.0/8', action: 'bot' }, { ...inHeader, 'user-agent': browser }, {}],
] as const)('applies the rule of the app %j', async (rule, headers, expected) => {
  const { registry } = ingest.storage
  const app = (await registry.app('shop'))!
  await using ruled = await openIngest()
  await ruled.storage.registry.apps.put('acme', 'shop', { ...app, bot_rules: [rule] })
  const answer = await ruled.server.inject({
    method: 'POST',
    url: `/v1/events?key=${keys.write}`,
    payload: JSON.stringify({ device_id: 'd', events: [{ type: 'custom', name: 'sale' }] }),
    headers: { 'content-type': 'application/json', ...headers },
  })
  expect(answer.statusCode).toBe(202)
  const { context } = (await ruled.envelopes())[0]!
  expect({ bot: context.bot, bot_sign: context.bot_sign }).toEqual({ bot: undefined, bot_sign: undefined, ...expected })
})

it('excludes an automated browser, also behind a server', async () => {
  for (const headers of [
    { 'user-agent': browser },
    { ...inHeader, 'user-agent': browser },
    { ...inHeader, 'user-agent': 'proxy/1' },
  ]) {
    const { answer } = await send(headers, { webdriver: true }, `?key=${keys.write}`)
    expect(answer).toEqual({ accepted: 1, rejected: [], bot: 1, bot_reason: 'webdriver' })
  }
})

it('reports no bots when none of their events was accepted', async () => {
  const answer = await ingest.post({ device_id: 'd', events: [{ type: 9 }] }, { 'user-agent': 'Googlebot/2.1' })
  expect(answer.body).toEqual({ accepted: 0, rejected: [expect.objectContaining({ reason: 'unknown_type' })] })
})
