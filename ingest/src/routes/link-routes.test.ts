import type { App, ErrorBody } from '@hopper/contracts'
import { SignedTokens } from '@hopper/storage'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { boundOrigin, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

let now = Date.UTC(2026, 10, 20, 12)
let ingest: IngestServer
beforeAll(async () => {
  ingest = await openIngest({ clock: () => now })
  const linked = async (id: string, tracker: App['tracker'] & object): Promise<void> => {
    const { apps } = ingest.storage.registry
    await apps.put('acme', id, { ...(await apps.get('acme', id))!, tracker })
  }
  await linked('shop', { cross_domains: ['shop.example', 'pay.example:8443'] })
  await linked('bound', { cross_domains: ['pay.example'] })
})
afterAll(() => ingest[Symbol.asyncDispose]())
beforeEach(() => void (now += 3_600_000))

const shop = 'https://shop.example'
const pay = 'https://pay.example:8443'

interface Answer {
  readonly status: number
  readonly body: { readonly token: string; readonly device_id: string } & ErrorBody
  readonly headers: Record<string, unknown>
}
async function call(
  method: 'GET' | 'POST',
  parameters: string,
  headers: Record<string, string>,
  payload?: string,
): Promise<Answer> {
  const url = `/v1/link?${parameters}`
  const type = payload === undefined ? {} : { 'content-type': 'text/plain', payload }
  const { payload: body, ...more } = { payload, ...type }
  const answer = await ingest.server.inject({
    ...{ method, url, headers: { ...headers, ...(more as Record<string, string>) } },
    ...(body !== undefined && { payload: body }),
  })
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers }
}
const post = (body: unknown, headers: Record<string, string> = { origin: shop }, key = keys.write): Promise<Answer> =>
  call('POST', `key=${key}`, headers, JSON.stringify(body))
const get = (token: string, headers: Record<string, string> = { origin: pay }, key = keys.write): Promise<Answer> =>
  call('GET', `key=${key}&token=${encodeURIComponent(token)}`, headers)

it('hands a device over to another host of the app', async () => {
  const posted = await post({ device_id: 'device 1' })
  expect(posted).toMatchObject({
    status: 200,
    headers: { 'access-control-allow-origin': '*', 'cache-control': 'no-store' },
  })
  expect(await get(posted.body.token)).toMatchObject({
    status: 200,
    body: { device_id: 'device 1' },
    headers: { 'access-control-allow-origin': '*', 'cache-control': 'no-store' },
  })
})

it('knows the host by the referrer where a browser sends no origin, as for requests to its own host', async () => {
  const { token } = (await post({ device_id: 'd' })).body
  expect((await get(token, { referer: 'https://shop.example/cart?x=1' })).status).toBe(200)
  expect((await get(token, { referer: 'https://evil.example/?https://shop.example/' })).status).toBe(403)
})

it('is valid for two minutes', async () => {
  const { token } = (await post({ device_id: 'd' })).body
  now += 119_999
  expect((await get(token)).status).toBe(200)
  now += 1
  expect(await get(token)).toMatchObject({
    status: 403,
    body: { error: { code: 'HOP_TOKEN', details: { reason: 'expired' } } },
  })
})

it.each([
  ['the origin of another site', { origin: 'https://evil.example' }],
  ['another port', { origin: 'https://pay.example' }],
  ['a subdomain', { origin: 'https://a.shop.example' }],
  ['a page without an origin', { origin: 'null' }],
  ['no page', {}],
])('%s gets no token and no device', async (_, headers: Record<string, string>) => {
  const { token } = (await post({ device_id: 'd' })).body
  for (const answer of [await post({ device_id: 'd' }, headers), await get(token, headers)])
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { code: 'HOP_ORIGIN' } },
      headers: { 'access-control-allow-origin': '*' },
    })
})

it('takes the origins of an app for hosts of it, and needs hosts that share devices', async () => {
  const { token } = (await post({ device_id: 'd' }, { origin: boundOrigin }, keys.bound)).body
  expect((await get(token, { origin: boundOrigin }, keys.bound)).body).toEqual({ device_id: 'd' })
  expect((await get(token, { origin: 'https://pay.example' }, keys.bound)).status).toBe(403)
})

it('refuses tokens of another app or purpose, and unsigned ones', async () => {
  const tokens = new SignedTokens(ingest.storage.secrets, () => now)
  const foreign = await tokens.sign('link', 'bound', 'd', 60_000)
  const picker = await tokens.sign('pick', 'shop', 'shop.example', 60_000)
  for (const { token } of [foreign, picker])
    expect(await get(token)).toMatchObject({ status: 403, body: { error: { details: { reason: 'forged' } } } })
  for (const token of ['', 'x', 'a.b.c'])
    expect(await get(token)).toMatchObject({ status: 403, body: { error: { details: { reason: 'malformed' } } } })
})

it.each([[{}], [{ device_id: '' }], [{ device_id: 7 }], [{ device_id: 'x'.repeat(129) }], [null], [[]], ['x']])(
  'the body %j names no device',
  async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, body: { error: { code: 'HOP_BODY_INVALID' } } })
  },
)

it('needs a write key, and takes no other method', async () => {
  expect((await post({ device_id: 'd' }, { origin: shop }, 'hw_unknown')).status).toBe(401)
  expect((await post({ device_id: 'd' }, { origin: shop }, keys.read)).status).toBe(403)
  const put = await ingest.server.inject({ method: 'PUT', url: `/v1/link?key=${keys.write}` })
  expect([put.statusCode, put.headers.allow]).toEqual([405, 'GET, HEAD, POST, OPTIONS'])
})

it('the configuration says whether a token of the picker is valid on the page that asks', async () => {
  const tokens = new SignedTokens(ingest.storage.secrets, () => now)
  const { token } = await tokens.sign('pick', 'shop', 'id shop.example', 600_000)
  const picks = async (pick: string, origin = shop): Promise<unknown> => {
    const url = `/v1/config?key=${keys.write}&pick=${pick}`
    const answer = await ingest.server.inject({ url, headers: { origin } })
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' })
    const config = answer.json<{ pick: unknown; funnels: unknown }>()
    expect(config.funnels).toEqual([])
    return config.pick
  }
  expect(await picks(token)).toBe(true)
  expect(await picks(token, 'https://evil.example')).toBe(false)
  expect(await picks('x')).toBe(false)
  const link = await tokens.sign('link', 'shop', 'shop.example', 600_000)
  expect(await picks(link.token)).toBe(false)
  now += 600_000
  expect(await picks(token)).toBe(false)
  const plain = await ingest.server.inject({ url: `/v1/config?key=${keys.write}` })
  expect(plain.json()).not.toHaveProperty('pick')
})
