import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { keys, LANES, NOW, openInstallation, type Installation } from './testing/installation.fixture.ts'

let api: Installation
beforeAll(async () => void (api = await openInstallation(openEmbedded)))
afterAll(() => api.close())

const app = '/api/v1/apps/shop'
const as = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })

it('only an admin of the organization forgets a person and sees requests', async () => {
  for (const [key, status] of [
    [keys.read, 403],
    [keys.write, 403],
    [keys.otherAdmin, 404],
  ] as const) {
    expect((await api.send('DELETE', `${app}/persons/u:ann`, undefined, as(key))).status).toBe(status)
    expect((await api.get(`${app}/forgets`, as(key))).status).toBe(status)
  }
  expect(await api.storage.registry.forgets.list()).toEqual([])
})

it('a request is stored once with the ends of the lanes, and is found under its id', async () => {
  const ask = (person: string): ReturnType<Installation['send']> =>
    api.send('DELETE', `${app}/persons/${encodeURIComponent(person)}`, undefined, as(keys.admin))
  const first = await ask('u:ann')
  expect(first.status).toBe(202)
  expect(first.body).toMatchObject({ kind: 'user', state: 'waiting', share: 0, requested_at: NOW, lanes: [] })
  expect(first.text).not.toContain('ann')
  expect((await ask('ann')).body).toEqual(first.body)
  const second = await ask('d:phone 1')
  expect(second.body).toMatchObject({ kind: 'device', state: 'waiting' })
  const { id } = first.body as { id: string }
  expect((await api.get(`${app}/forgets/${id}`, as(keys.admin))).body).toEqual(first.body)
  const { forgets } = (await api.get(`${app}/forgets`, as(keys.admin))).body as { forgets: { id: string }[] }
  expect(forgets.map((forget) => forget.id).sort()).toEqual([id, (second.body as { id: string }).id].sort())
  const stored = await api.storage.registry.forgets.get('shop', id)
  expect(stored).toMatchObject({ person: 'ann', ends: new Array(LANES).fill(0) })
})

it('answers 404 for an unknown request, and for one of another app', async () => {
  const { id } = (await api.storage.registry.forgets.list('shop'))[0]!
  for (const path of [`${app}/forgets/nothing`, `/api/v1/apps/blog/forgets/${id}`])
    expect((await api.get(path, as(keys.admin))).status).toBe(404)
})
