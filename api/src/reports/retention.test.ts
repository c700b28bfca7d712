import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keys, NOW, openInstallation, type Installation } from '../testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
const app = '/api/v1/apps/shop'
const day = (date: string, position: number) => ({
  table: 'page_views_by_date' as const,
  app: 'shop',
  date,
  from: -1,
  to: position,
  rows: [{ key: ['s.example/'], deltas: [1, 0, 0] }],
})

test('retention_days is validated, shown, and taken back by null', async () => {
  const patch = async (retention_days: unknown) => hopper.send('PATCH', app, { retention_days }, admin)
  expect((await hopper.get(app, admin)).body).toMatchObject({ retention_days: null })
  for (const wrong of [0, -1, 1.5, '30', 36_501, true])
    expect(await patch(wrong)).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  expect(await patch(30)).toMatchObject({ status: 200, body: { retention_days: 30 } })
  const shown = async (): Promise<unknown> =>
    ((await hopper.get('/api/v1/apps', admin)).body as { apps: { id: string }[] }).apps.find(({ id }) => id === 'shop')
  expect(await shown()).toMatchObject({ retention_days: 30 })
  expect(await patch(null)).toMatchObject({ status: 200, body: { retention_days: null } })
  expect(await shown()).toMatchObject({ retention_days: null })
  const read = { authorization: `Bearer ${keys.read}` }
  expect((await hopper.send('PATCH', app, { retention_days: 3 }, read)).status).toBe(403)
  const sent = { kept_from: '2026-01-01' }
  expect((await hopper.send('PATCH', app, sent, admin)).status).toBe(400)
})

test('dates that have expired are empty before they are removed, and reports say so', async () => {
  await hopper.fill({ lane: 0, counters: [day('2026-03-25', 1), day('2026-03-28', 2)] })
  const views = `${app}/pages/views?from=2026-03-20&to=2026-03-30`
  const before = (await hopper.get(views)).body as { rows: unknown; meta: object }
  expect(before).toMatchObject({ rows: [{ views: 2 }] })
  expect(before.meta).not.toHaveProperty('kept_from')
  await hopper.storage.registry.retentions.put('', 'shop', { app: 'shop', kept_from: '2026-03-28', decided_at: NOW })
  expect((await hopper.get(views)).body).toMatchObject({
    rows: [{ views: 1 }],
    meta: { from: '2026-03-20', to: '2026-03-30', kept_from: '2026-03-28' },
  })
  const old = `${app}/pages/views?from=2026-03-20&to=2026-03-27`
  expect((await hopper.get(old)).body).toMatchObject({ rows: [], meta: { kept_from: '2026-03-28' } })
  const journeys = await hopper.get(`${app}/journeys?from=2026-03-20&to=2026-03-27`)
  expect(journeys).toMatchObject({ status: 200, body: { meta: { from: '2026-03-20', kept_from: '2026-03-28' } } })
  // Changes by an administrator do not move the date.
  await hopper.send('PATCH', app, { retention_days: null }, admin)
  expect((await hopper.get(app, admin)).body).toMatchObject({ kept_from: '2026-03-28' })
})
