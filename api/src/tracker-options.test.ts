import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from './index.ts'
import { keys, openInstallation, type Installation } from './testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
const all = {
  consent: true,
  cookieless: true,
  respect_privacy_signals: true,
  subdomains: true,
  cross_domains: ['shop.example', 'pay.example:8443'],
  new_session_at_campaign: true,
}

test('an app is created with options of its tracker, and a patch changes those that it names', async () => {
  const created = await hopper.send('POST', '/api/v1/apps', { id: 'site', name: 'Site', tracker: all }, admin)
  expect(created).toMatchObject({ status: 201, body: { app: { tracker: all } } })
  const patch = { tracker: { cookieless: false, cross_domains: [] } }
  const changed = await hopper.send('PATCH', '/api/v1/apps/site', patch, admin)
  expect((changed.body as { tracker: object }).tracker).toEqual({ ...all, cookieless: false, cross_domains: [] })
  expect((await hopper.get('/api/v1/apps/site', admin)).body).toEqual(changed.body)
  const renamed = await hopper.send('PATCH', '/api/v1/apps/site', { name: 'Page' }, admin)
  expect(renamed.body).toMatchObject({ name: 'Page', tracker: { consent: true } })
})

test.each([
  [{ cookieles: true }, 'tracker.cookieles'],
  [{ visible_time: true }, 'tracker.visible_time'],
  [{ consent: 'yes' }, 'tracker.consent'],
  [{ cross_domains: 'shop.example' }, 'tracker.cross_domains'],
  [{ cross_domains: ['https://shop.example'] }, 'tracker.cross_domains[0]'],
  [{ cross_domains: ['Shop.example'] }, 'tracker.cross_domains[0]'],
  [{ cross_domains: ['*.example'] }, 'tracker.cross_domains[0]'],
  [{ cross_domains: Array.from({ length: 21 }, (_, index) => `h${index}.example`) }, 'tracker.cross_domains'],
])('the options %j are refused by name', async (tracker, field) => {
  const answer = await hopper.send('PATCH', '/api/v1/apps/shop', { tracker }, admin)
  expect(answer).toMatchObject({ status: 400, body: { error: { details: { fields: [{ field }] } } } })
})

test('only those who administer an app change its tracker', async () => {
  const read = { authorization: `Bearer ${keys.read}` }
  const answer = await hopper.send('PATCH', '/api/v1/apps/shop', { tracker: { consent: true } }, read)
  expect(answer).toMatchObject({ status: 403 })
})

test('a provision file sets the options, and keeps them when it names none', async () => {
  const app = { id: 'provisioned', name: 'P' }
  const file = (more: object): Parameters<typeof provision>[1] => ({
    organizations: [{ id: 'acme', name: 'Acme', apps: [{ ...app, ...more }] }],
  })
  await provision(hopper.storage.registry, file({ tracker: { consent: true } }))
  await provision(hopper.storage.registry, file({}))
  expect(await hopper.storage.registry.app('provisioned')).toMatchObject({ tracker: { consent: true } })
})

test('OpenAPI describes the options', async () => {
  const { body } = await hopper.get('/openapi.json', {})
  const { schemas } = (body as { components: { schemas: Record<string, { properties: Record<string, object> }> } })
    .components
  for (const name of ['App', 'NewApp', 'AppPatch'])
    expect(Object.keys((schemas[name]!.properties['tracker'] as { properties: object }).properties)).toEqual(
      Object.keys(all),
    )
})
