import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const patch = (origins: unknown): ReturnType<Installation['send']> =>
  hopper.send('PATCH', '/api/v1/apps/shop', { origins }, { authorization: `Bearer ${keys.admin}` })

test.each([
  'https://shop.example',
  'http://localhost:3000',
  'http://[::1]:8080',
  'https://xn--bcher-kva.example',
  'capacitor://localhost',
  'chrome-extension://abcdefgh',
])('takes the origin %s', async (origin) => {
  expect(await patch([origin])).toMatchObject({ status: 200, body: { origins: [origin] } })
})

test.each([
  'shop.example',
  'https://shop.example/',
  'https://shop.example/cart',
  'https://Shop.example',
  'HTTPS://shop.example',
  'https://user@shop.example',
  'https://shop.example?x',
  'https://shop .example',
  'https://',
  '*',
])('refuses %j, which no browser would send as its origin, and says what one looks like', async (origin) => {
  const { status, body } = await patch(['https://a.example', origin])
  expect(status).toBe(400)
  expect(body).toMatchObject({ error: { code: 'HOP_PARAM_INVALID' } })
  expect(JSON.stringify(body)).toContain('such as https://shop.example')
  expect(JSON.stringify(body)).toContain('origins[1]')
})
