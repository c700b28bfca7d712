import { SignedTokens } from '@hopper/storage'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => {
  const trackerScript = ({ hash_routing }: { hash_routing?: boolean }): { hash: string; integrity: string } =>
    hash_routing ? { hash: 'bb', integrity: 'sha384-B' } : { hash: 'aa', integrity: 'sha384-A' }
  hopper = await openInstallation(openEmbedded, { trackerScript, ingestUrl: 'https://events.example' })
})
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
interface Link {
  readonly id: string
  readonly url: string
  readonly expires_at: string
}
const openFor = async (...origins: string[]): Promise<unknown> =>
  hopper.send('PATCH', '/api/v1/apps/shop', { origins }, admin)
const link = (url: unknown, headers = admin): ReturnType<Installation['send']> =>
  hopper.send('POST', '/api/v1/apps/shop/picker-links', { url }, headers)

test('the tags of an app load the tracker by its name, or one version of it with its integrity', async () => {
  const { body } = await hopper.get('/api/v1/apps/shop/tag')
  expect(body).toEqual({
    html: '<script async src="https://events.example/hopper.js?key=YOUR_WRITE_KEY" data-key="YOUR_WRITE_KEY"></script>',
    pinned_html:
      '<script async src="https://events.example/hopper.aa.js" integrity="sha384-A" crossorigin="anonymous" ' +
      'data-key="YOUR_WRITE_KEY"></script>',
    url: 'https://events.example/hopper.aa.js',
    integrity: 'sha384-A',
  })
  await hopper.send('PATCH', '/api/v1/apps/shop', { hash_routing: true }, admin)
  expect((await hopper.get('/api/v1/apps/shop/tag')).body).toMatchObject({ integrity: 'sha384-B' })
})

test('a picker link has a token for ten minutes, for pages of the same host', async () => {
  await openFor('https://shop.example')
  const answer = await link('https://shop.example/cart?x=1')
  expect(answer.status).toBe(201)
  const { id, url, expires_at } = answer.body as Link
  const [page, token] = url.split('#hopper-pick=')
  expect(page).toBe('https://shop.example/cart?x=1')
  expect(Date.parse(expires_at)).toBe(hopper.clock + 600_000)
  const tokens = new SignedTokens(hopper.storage.secrets, () => hopper.clock)
  expect(await tokens.verify('pick', 'shop', token!)).toEqual({ subject: `${id} shop.example` })
  expect(await tokens.verify('link', 'shop', token!)).toEqual({ fault: 'forged' })
  hopper.clock += 600_000
  expect(await tokens.verify('pick', 'shop', token!)).toEqual({ fault: 'expired' })
})

test('a picked element is returned to administrators of the app until the link expires', async () => {
  await openFor('https://shop.example')
  const { id, expires_at } = (await link('https://shop.example/')).body as Link
  const ask = (headers = admin): ReturnType<Installation['get']> => hopper.get(`/api/v1/apps/shop/picks/${id}`, headers)
  expect(await ask()).toMatchObject({ status: 200, body: { expires_at } })
  const picked = { page: 'https://shop.example/', name: 'Buy', xpath: "//*[@id='buy']", fingerprints: ['#buy'] }
  const { picks } = hopper.storage.registry
  await picks.put('shop', id, { ...(await picks.get('shop', id))!, picked })
  expect((await ask()).body).toEqual({ picked, expires_at })
  expect((await ask({ authorization: `Bearer ${keys.read}` })).status).toBe(403)
  expect((await hopper.get('/api/v1/apps/shop/picks/other', admin)).status).toBe(404)
  hopper.clock += 600_000
  expect(await ask()).toMatchObject({ status: 404, body: { error: { code: 'HOP_NOT_FOUND' } } })
})

test('at most 20 links are open: another one ends the oldest, and expired ones are removed', async () => {
  await openFor('https://shop.example')
  hopper.clock += 600_000
  const ids: string[] = []
  for (let n = 0; n < 22; n++) {
    hopper.clock++
    ids.push(((await link('https://shop.example/')).body as Link).id)
  }
  const kept = (await hopper.storage.registry.picks.list('shop')).map(({ id }) => id)
  expect(kept.sort()).toEqual(ids.slice(2).sort())
})

test('a fragment stays, and a route gets a parameter as its router understands it', async () => {
  await openFor('https://shop.example')
  for (const [fragment, begin] of [
    ['#/cart', '#/cart?'],
    ['#!/cart?x=1', '#!/cart?x=1&'],
    ['#top', '#top&'],
  ] as const) {
    const { url } = (await link(`https://shop.example/${fragment}`)).body as Link
    expect(url.split('hopper-pick=')[0]).toBe(`https://shop.example/${begin}`)
  }
})

test('only those who administer an app get picker links, for web pages of its origins', async () => {
  await openFor('https://shop.example')
  expect((await link('https://shop.example/', { authorization: `Bearer ${keys.read}` })).status).toBe(403)
  const refused = ['javascript:alert(1)', 'shop.example', 'ftp://shop.example/', 'x'.repeat(2_049), 7]
  for (const url of [...refused, 'https://evil.example/', 'http://shop.example/', 'https://a:b@shop.example/'])
    expect(await link(url)).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  expect((await link('https://shop.example/')).status).toBe(201)
})

test('without origins, a page must be of a host that the app has seen', async () => {
  await openFor()
  expect(await link('https://seen.example/cart')).toMatchObject({ status: 400 })
  const seen = { table: 'page_views_by_date', app: 'shop', date: '2026-03-30' } as const
  await hopper.fill({
    lane: 0,
    counters: [{ ...seen, from: -1, to: 5, rows: [{ key: ['seen.example/'], deltas: [1, 0, 0] }] }],
  })
  expect((await link('https://seen.example/cart')).status).toBe(201)
  expect((await link('https://evil.example/cart')).status).toBe(400)
})
