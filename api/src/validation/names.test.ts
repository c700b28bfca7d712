import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from '../index.ts'
import { keys, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
const app = '/api/v1/apps/shop'
const bearer = { authorization: `Bearer ${keys.admin}` }
const BAD = ['a\0b', 'a\u0007b', 'a\u0085b', 'a\u2028b', '\u202e', 'a\ud800b', 'a\nb', ' \t ', '\u200b', '']
const stages = [{ name: 'Home', url: '/' }]
const view = { page: 'funnel', from: '2026-01-01', to: '2026-01-02' }
const rule = { funnel: 'main', measure: 'conversion', below: 0.1 }

/** Every call that takes a name that people see, with the field in which it has it. */
const calls: [method: 'POST' | 'PATCH', path: string, field: string, body: (name: string) => object][] = [
  ['POST', '/api/v1/apps', 'name', (name) => ({ id: 'named', name })],
  ['PATCH', app, 'name', (name) => ({ name })],
  ['POST', '/api/v1/members', 'name', (name) => ({ id: 'ann', name, role: 'viewer' })],
  ['PATCH', '/api/v1/members/ann', 'name', (name) => ({ name })],
  ['POST', `${app}/keys`, 'name', (name) => ({ power: 'read', name })],
  ['POST', `${app}/funnels`, 'name', (name) => ({ id: 'named', name, stages })],
  ['POST', `${app}/funnels`, 'stages[0].name', (name) => ({ id: 'named', name: 'x', stages: [{ name, url: '/' }] })],
  ['PATCH', `${app}/funnels/named`, 'name', (name) => ({ name })],
  ['POST', `${app}/elements`, 'name', (name) => ({ name, xpath: '//a' })],
  ['PATCH', `${app}/elements?xpath=%2F%2Fa`, 'name', (name) => ({ name })],
  ['POST', `${app}/alerts`, 'name', (name) => ({ name, ...rule })],
  ['PATCH', `${app}/alerts/abc`, 'name', (name) => ({ name })],
  ['POST', `${app}/shared-links`, 'name', (name) => ({ name, view, ends_at: 1 })],
]

beforeAll(async () => {
  hopper = await openInstallation(openEmbedded)
})
afterAll(() => hopper.close())

test.each(calls)('%s %s refuses a bad %s by its field', async (method, path, field, body) => {
  for (const name of BAD) {
    const { status, body: answer } = await hopper.send(method, path, body(name), bearer)
    const { details } = (answer as { error: { details: { fields: { field: string }[] } } }).error
    expect([name, status, details.fields.map((fault) => fault.field)]).toEqual([
      name,
      400,
      expect.arrayContaining([field]),
    ])
  }
})

test('a text of an annotation has lines, and none of the other characters', async () => {
  const note = (text: string): object => ({ from: '2026-03-01', text })
  expect(await hopper.send('POST', `${app}/annotations`, note('a\0b'), bearer)).toMatchObject({ status: 400 })
  expect(await hopper.send('POST', `${app}/annotations`, note(' a\nb '), bearer)).toMatchObject({
    status: 201,
    body: { text: 'a\nb' },
  })
})

test('spaces around a name are removed', async () => {
  const { status, body } = await hopper.send(
    'POST',
    `${app}/funnels`,
    { id: 'trimmed', name: ' Größe 👩‍👧 ', stages },
    bearer,
  )
  expect([status, body]).toMatchObject([201, { name: 'Größe 👩‍👧' }])
})

test('the provision file follows the rule', async () => {
  const { registry } = hopper.storage
  const file = (name: string, appName = 'x'): Parameters<typeof provision>[1] => ({
    organizations: [{ id: 'named', name, apps: [{ id: 'named-app', name: appName }] }],
  })
  await expect(provision(registry, file('a\u0085b'))).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await expect(provision(registry, file('x', 'a\0'))).rejects.toMatchObject({ code: 'HOP_CONFIG' })
  await provision(registry, file(' Named '))
  expect((await registry.organizations.get('', 'named'))!.name).toBe('Named')
})

test('a name from before the rule is still shown', async () => {
  const { registry } = hopper.storage
  await registry.elements.put('shop', '//old', { name: 'old\u202e\0name', xpath: '//old' })
  const { status, body } = await hopper.get(`${app}/elements`, bearer)
  expect(status).toBe(200)
  expect((body as { elements: { name: string }[] }).elements.map(({ name }) => name)).toContain('old\u202e\0name')
})
