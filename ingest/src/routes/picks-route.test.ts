import { pickSubject, type ErrorBody, type PickedElement } from '@hopper/contracts'
import { SignedTokens } from '@hopper/storage'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { boundOrigin, keys, openIngest, type IngestServer } from '../ingest-server.fixture.ts'

let now = Date.UTC(2026, 10, 20, 12)
let ingest: IngestServer
let tokens: SignedTokens
let token: string
const id = 'random'
const host = 'shop.example'
const picked: PickedElement = {
  page: 'https://shop.example/cart',
  name: '<b>Buy</b>',
  xpath: "//*[@id='buy']",
  fingerprints: ['#buy'],
}

beforeAll(async () => {
  ingest = await openIngest({ clock: () => now })
  tokens = new SignedTokens(ingest.storage.secrets, () => now)
})
afterAll(() => ingest[Symbol.asyncDispose]())
beforeEach(async () => {
  now += 3_600_000
  const { picks } = ingest.storage.registry
  await picks.put('shop', id, { id, host, expires_at: now + 600_000 })
  ;({ token } = await tokens.sign('pick', 'shop', pickSubject({ id, host }), 600_000))
})

async function post(body: unknown, { origin = 'https://shop.example', key = keys.write } = {}): Promise<unknown[]> {
  const answer = await ingest.server.inject({
    method: 'POST',
    url: `/v1/picks?key=${key}`,
    headers: { origin, 'content-type': 'text/plain' },
    payload: JSON.stringify(body),
  })
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  const { error } = answer.json<Partial<ErrorBody>>()
  return [answer.statusCode, error?.code, (error?.details as { reason?: string } | undefined)?.reason]
}
const stored = async (): Promise<PickedElement | undefined> =>
  (await ingest.storage.registry.picks.get('shop', id))?.picked

it('stores what was picked, once', async () => {
  expect(await post({ token, picked })).toEqual([200, undefined, undefined])
  expect(await stored()).toEqual(picked)
  expect(await post({ token, picked: { ...picked, name: 'other' } })).toEqual([403, 'HOP_TOKEN', 'used'])
  expect(await stored()).toEqual(picked)
})

it('refuses a token that is forged, expired, of another purpose or app, or without a link', async () => {
  const link = await tokens.sign('link', 'shop', pickSubject({ id, host }), 600_000)
  const other = await tokens.sign('pick', 'bound', pickSubject({ id, host }), 600_000)
  for (const invalid of [link.token, other.token, `${token.slice(0, -2)}xx`])
    expect(await post({ token: invalid, picked })).toEqual([403, 'HOP_TOKEN', 'forged'])
  expect(await post({ token: 'x', picked })).toEqual([403, 'HOP_TOKEN', 'malformed'])
  const unknown = await tokens.sign('pick', 'shop', pickSubject({ id: 'gone', host }), 600_000)
  expect(await post({ token: unknown.token, picked })).toEqual([403, 'HOP_TOKEN', 'used'])
  now += 600_000
  expect(await post({ token, picked })).toEqual([403, 'HOP_TOKEN', 'expired'])
  expect(await stored()).toBeUndefined()
})

it('refuses the page of another host, the key of another app, and a read key', async () => {
  expect(await post({ token, picked }, { origin: 'https://evil.example' })).toEqual([403, 'HOP_ORIGIN', undefined])
  expect(await post({ token, picked }, { origin: boundOrigin, key: keys.bound })).toEqual([403, 'HOP_TOKEN', 'forged'])
  expect((await post({ token, picked }, { key: keys.read }))[0]).toBe(403)
  expect(await stored()).toBeUndefined()
})

it.each([
  [undefined],
  [[]],
  [{}],
  [{ picked }],
  [{ token: 7, picked }],
  [{ token: 'x', picked: { ...picked, more: 1 } }],
  [{ token: 'x', picked: { ...picked, xpath: 'x'.repeat(1_025) } }],
  [{ token: 'x', picked: { ...picked, fingerprints: Array.from({ length: 6 }, () => '#a') } }],
])('refuses the body %j', async (body) => {
  expect(await post(body)).toEqual([400, 'HOP_BODY_INVALID', undefined])
})
