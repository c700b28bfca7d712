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
  const answer = await link('https://shop.example/cart?x=1')
  expect(answer.status).toBe(201)
  const { url, expires_at } = answer.body as { url: string; expires_at: string }
  const [page, token] = url.split('#hopper-pick=')
  expect(page).toBe('https://shop.example/cart?x=1')
  expect(Date.parse(expires_at)).toBe(hopper.clock + 600_000)
  const tokens = new SignedTokens(hopper.storage.secrets, () => hopper.clock)
  expect(await tokens.verify('pick', 'shop', token!)).toEqual({ subject: 'shop.example' })
  expect(await tokens.verify('link', 'shop', token!)).toEqual({ fault: 'forged' })
  hopper.clock += 600_000
  expect(await tokens.verify('pick', 'shop', token!)).toEqual({ fault: 'expired' })
})

test('a route in the fragment stays', async () => {
  const { url } = (await link('https://shop.example/#/cart')).body as { url: string }
  expect(url).toMatch(/#\/cart&hopper-pick=[\w.-]+$/)
})

test('only those who administer an app get picker links, for web pages of its origins', async () => {
  expect((await link('https://shop.example/', { authorization: `Bearer ${keys.read}` })).status).toBe(403)
  for (const url of ['javascript:alert(1)', 'shop.example', 'ftp://shop.example/', 'x'.repeat(2_049), 7])
    expect(await link(url)).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  await hopper.send('PATCH', '/api/v1/apps/shop', { origins: ['https://shop.example'] }, admin)
  expect((await link('https://evil.example/')).status).toBe(400)
  expect((await link('https://shop.example/')).status).toBe(201)
})
