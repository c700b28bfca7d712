import type { Annotations, AnnotationView, CreatedSharedLink } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

const path = '/api/v1/apps/shop/annotations'
const admin = { authorization: `Bearer ${keys.admin}` }
const reader = { authorization: `Bearer ${keys.read}` }
const range = 'from=2026-03-24&to=2026-03-30'
let hopper: Installation

beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

type Answer = Awaited<ReturnType<Installation['get']>>
const codeOf = ({ body }: Answer): string | undefined => (body as { error?: { code: string } } | undefined)?.error?.code

async function note(body: object): Promise<AnnotationView> {
  const created = await hopper.send('POST', path, body, admin)
  expect([created.status, codeOf(created)]).toEqual([201, undefined])
  return created.body
}

async function texts(query: string, headers: Record<string, string> = reader): Promise<string[]> {
  const { body } = await hopper.get(`${path}?${query}`, headers)
  return (body as Annotations).annotations.map(({ text }) => text)
}

it('lists annotations that touch the range, of the whole app and of the given funnel, by date', async () => {
  const app = '/api/v1/apps/shop/funnels'
  await hopper.send('POST', app, { id: 'other', name: 'Other', stages: [{ name: 'a', url: '/a' }] }, admin)
  await note({ from: '2026-03-28', text: 'sale' })
  await note({ from: '2026-03-20', to: '2026-03-24', text: 'campaign' })
  await note({ from: '2026-03-25', text: 'new checkout', funnel: 'checkout' })
  await note({ from: '2026-03-26', text: 'elsewhere', funnel: 'other' })
  await note({ from: '2026-03-23', text: 'before' })
  await note({ from: '2026-03-31', text: 'after' })
  expect(await texts(range)).toEqual(['campaign', 'new checkout', 'elsewhere', 'sale'])
  expect(await texts(`${range}&funnel=checkout`)).toEqual(['campaign', 'new checkout', 'sale'])
})

it('says who made it and who changed it last, and when', async () => {
  const made = await note({ from: '2026-02-01', to: '2026-02-03', text: 'x', funnel: 'checkout' })
  expect(made).toMatchObject({ created_by: 'an admin key', created_at: NOW })
  hopper.clock = NOW + 1_000
  const patch = { to: null, funnel: null, text: 'y' }
  const changed = await hopper.send('PATCH', `${path}/${made.id}`, patch, admin)
  expect(changed.body).toEqual({
    id: made.id,
    from: '2026-02-01',
    text: 'y',
    created_by: 'an admin key',
    created_at: NOW,
    changed_by: 'an admin key',
    changed_at: NOW + 1_000,
  })
  expect((await hopper.send('DELETE', `${path}/${made.id}`, undefined, admin)).status).toBe(204)
  for (const method of ['DELETE', 'PATCH'] as const) {
    const body = method === 'PATCH' ? {} : undefined
    expect(codeOf(await hopper.send(method, `${path}/${made.id}`, body, admin))).toBe('HOP_NOT_FOUND')
  }
})

it('is changed by admins only', async () => {
  const body = { from: '2026-03-28', text: 'sale' }
  expect(codeOf(await hopper.send('POST', path, body, reader))).toBe('HOP_KEY_POWER')
  expect(codeOf(await hopper.send('DELETE', `${path}/0123456789abcdef`, undefined, reader))).toBe('HOP_KEY_POWER')
})

it('refuses bodies that make no sense', async () => {
  for (const [body, code] of [
    [{ from: '2026-02-30', text: 'x' }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', to: '2026-03-27', text: 'x' }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', to: '2026-03-99', text: 'x' }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', text: ' ' }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', text: 'x'.repeat(501) }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', text: 'x', created_by: 'Eve' }, 'HOP_PARAM_INVALID'],
    [{ from: '2026-03-28', text: 'x', funnel: 'nowhere' }, 'HOP_FUNNEL_UNKNOWN'],
  ] as const)
    expect([body, codeOf(await hopper.send('POST', path, body, admin))]).toEqual([body, code])
  expect(codeOf(await hopper.get(`${path}?from=2026-03-30&to=2026-03-01`))).toBe('HOP_RANGE_INVALID')
})

it('shows readers of a shared link the annotations of their view, without names', async () => {
  hopper.clock = NOW
  const body = { name: 'x', view: { page: 'funnel', funnel: 'checkout', range: '7d' }, ends_at: NOW + 1_000_000 }
  const created = await hopper.send('POST', '/api/v1/apps/shop/shared-links', body, admin)
  const { id, url } = created.body as CreatedSharedLink
  const opened = await hopper.send('POST', `/api/v1/shared-links/${id}/open`, { token: new URL(url).hash.slice(1) })
  const headers = { 'x-hopper-share': id, cookie: String(opened.headers['set-cookie']).split(';')[0]! }
  expect(await texts(range, headers)).toEqual(['campaign', 'new checkout', 'sale'])
  const { text } = await hopper.get(`${path}?${range}`, headers)
  expect(text).not.toMatch(/admin|created/)
  for (const query of ['from=2026-03-01&to=2026-03-30', `${range}&funnel=other`, ''])
    expect(codeOf(await hopper.get(`${path}?${query}`, headers))).toBe('HOP_SHARED_VIEW')
})
