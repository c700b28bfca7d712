import { usageId, type Usage } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { provision } from './provisioning/provision.ts'
import { keys, NOW, openInstallation, type Installation } from './testing/installation.fixture.ts'

let hopper: Installation
beforeAll(async () => void (hopper = await openInstallation(openEmbedded)))
afterAll(() => hopper.close())

const admin = { authorization: `Bearer ${keys.admin}` }
const app = '/api/v1/apps/shop'

test('quota_bytes is validated, shown, and taken back by null', async () => {
  const patch = async (quota_bytes: unknown) => hopper.send('PATCH', app, { quota_bytes }, admin)
  expect((await hopper.get(app, admin)).body).toMatchObject({ quota_bytes: null, received_bytes: 0 })
  for (const wrong of [0, -1, 1.5, '30', 2 ** 53, true])
    expect(await patch(wrong)).toMatchObject({ status: 400, body: { error: { code: 'HOP_PARAM_INVALID' } } })
  expect(await patch(1_000_000)).toMatchObject({ status: 200, body: { quota_bytes: 1_000_000 } })
  expect((await hopper.get(app, admin)).body).toMatchObject({ quota_bytes: 1_000_000 })
  expect(await patch(null)).toMatchObject({ status: 200, body: { quota_bytes: null } })
  const read = { authorization: `Bearer ${keys.read}` }
  expect((await hopper.send('PATCH', app, { quota_bytes: 3 }, read)).status).toBe(403)
  expect((await hopper.send('PATCH', app, { received_bytes: 0 }, admin)).status).toBe(400)
  const created = await hopper.send('POST', '/api/v1/apps', { id: 'small', name: 'S', quota_bytes: 5 }, admin)
  expect(created.body).toMatchObject({ app: { quota_bytes: 5 } })
})

test('an app shows what all processes have received on the dates that it keeps', async () => {
  const { registry } = hopper.storage
  const put = (usage: Omit<Usage, 'app'>): Promise<void> =>
    registry.usages.put('shop', usageId(usage), { app: 'shop', ...usage })
  await put({ process: 'a', date: '2026-03-20', bytes: 100, events: 1 })
  await put({ process: 'a', date: '2026-03-29', bytes: 20, events: 1 })
  await put({ process: 'b', date: '2026-03-29', bytes: 3, events: 1 })
  expect((await hopper.get(app, admin)).body).toMatchObject({ received_bytes: 123 })
  await registry.retentions.put('', 'shop', { app: 'shop', kept_from: '2026-03-28', decided_at: NOW })
  expect((await hopper.get(app, admin)).body).toMatchObject({ received_bytes: 23 })
})

test('a provision file sets a quota, and keeps it when it names none', async () => {
  const { registry } = hopper.storage
  const apply = async (more: object): Promise<number | null | undefined> => {
    const apps = [{ id: 'provided', name: 'P', ...more }]
    await provision(registry, { organizations: [{ id: 'o', name: 'O', apps }] })
    return (await registry.app('provided'))?.quota_bytes
  }
  expect(await apply({})).toBeUndefined()
  expect(await apply({ quota_bytes: 7 })).toBe(7)
  expect(await apply({})).toBe(7)
  expect(await apply({ quota_bytes: null })).toBeNull()
})
