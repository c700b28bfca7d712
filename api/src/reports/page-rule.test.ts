import { limits } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from '../index.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
const app = '/api/v1/apps/shop'
const funnel = (id: string, url: string) => ({ id, name: id, stages: [{ id: 1, name: 'one', url }] })
const keptBy = async (): Promise<unknown> =>
  ((await hopper.get(app)).body as { keep_parameters: unknown }).keep_parameters

test('an app keeps the parameters that its stages use, whatever else is listed', async () => {
  expect((await hopper.send('POST', `${app}/funnels`, funnel('steps', '/checkout?step=2'), admin)).status).toBe(201)
  expect(await keptBy()).toEqual(['step'])
  expect((await hopper.send('PATCH', app, { keep_parameters: ['tab'] }, admin)).body).toMatchObject({
    keep_parameters: ['tab', 'step'],
  })
  expect(
    (await hopper.send('PATCH', `${app}/funnels/steps`, { stages: funnel('', '/checkout?part=*').stages }, admin))
      .status,
  ).toBe(200)
  expect(await keptBy()).toEqual(['tab', 'step', 'part'])
  const many = `/x?${Array.from({ length: limits.keepParametersMax }, (_, i) => `p${i}=1`).join('&')}`
  expect(await hopper.send('POST', `${app}/funnels`, funnel('many', many), admin)).toMatchObject({
    status: 400,
    body: { error: { details: { fields: [{ field: 'stages' }] } } },
  })
})

test('a stage with a route needs hash_routing, which then cannot be turned off', async () => {
  const refused = {
    status: 400,
    body: { error: { code: 'HOP_PARAM_INVALID', details: { fields: [{ field: 'stages[0].url' }] } } },
  }
  expect(await hopper.send('POST', `${app}/funnels`, funnel('routes', '/#/cart'), admin)).toMatchObject(refused)
  expect((await hopper.send('PATCH', app, { hash_routing: true }, admin)).body).toMatchObject({ hash_routing: true })
  expect((await hopper.send('POST', `${app}/funnels`, funnel('routes', '/#/cart'), admin)).status).toBe(201)
  expect(await hopper.send('POST', `${app}/funnels`, funnel('anchor', '/docs#install'), admin)).toMatchObject(refused)
  expect(await hopper.send('PATCH', app, { hash_routing: false }, admin)).toMatchObject({
    status: 400,
    body: { error: { details: { fields: [{ field: 'hash_routing' }] } } },
  })
})

test('a provision file sets it too, and is refused for a stage that nothing can enter', async () => {
  const file = (more: object) => ({
    organizations: [{ id: 'acme', name: 'Acme', apps: [{ id: 'blog', name: 'Blog', ...more }] }],
  })
  await provision(
    hopper.storage.registry,
    file({ hash_routing: true, keep_parameters: ['q'], funnels: [funnel('f', '/#/search?lang=de')] }),
  )
  expect(await hopper.storage.registry.app('blog')).toMatchObject({
    hash_routing: true,
    keep_parameters: ['q', 'lang'],
  })
  // fields that the patch does not name stay
  await provision(hopper.storage.registry, file({}))
  expect(await hopper.storage.registry.app('blog')).toMatchObject({
    hash_routing: true,
    keep_parameters: ['q', 'lang'],
  })
  for (const [url, message] of [
    ['checkout', 'must be a path'],
    ['###', 'must be a path'],
    ['/docs#a', 'no route'],
  ]) {
    await expect(provision(hopper.storage.registry, file({ funnels: [funnel('bad', url!)] }))).rejects.toThrow(message)
  }
})
