import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HopperError, type App, type KeyRecord } from '@hopper/contracts'
import { afterAll, expect, it, vi } from 'vitest'
import { openEmbedded } from '../embedded/embedded.ts'
import type { Registry } from '../ports/registry.ts'
import { RememberedRegistry, rememberedDefaults, type RegistryStore } from './remembered-registry.ts'

const root = mkdtempSync(join(tmpdir(), 'hopper-remembered-'))
afterAll(() => rmSync(root, { recursive: true }))
const logger = { info: () => undefined, warn: () => undefined }
let files = 0

const app: App = { id: 'shop', organization: 'o', name: 'Shop', timezone: 'UTC', origins: [], keep_parameters: [] }
const key = (hash: string): KeyRecord => ({ hash, power: 'write', organization: 'o', app: 'shop' }) as KeyRecord

/** A real registry whose store can be down or silent. */
async function unsteady(): Promise<{
  state: 'available' | 'failing' | 'silent'
  registry: Registry
  open(): Promise<RegistryStore>
  close(): Promise<void>
}> {
  const storage = await openEmbedded({ dir: join(root, `store${files}`), lanes: 1 })
  await storage.registry.apps.put('o', 'shop', app)
  await storage.registry.keys.put('o', 'good', key('good'))
  await storage.registry.keys.put('o', 'bad', key('bad'))
  await storage.registry.funnels.put('shop', 'f', { id: 'f', app: 'shop', name: 'F', stages: [] } as never)
  const store = {
    state: 'available' as 'available' | 'failing' | 'silent',
    registry: storage.registry,
    open: async (): Promise<RegistryStore> => {
      if (store.state !== 'available') throw new HopperError('HOP_STORE_UNAVAILABLE', 'as the test wants it')
      const failing = <T extends object>(port: T): T =>
        new Proxy(port, {
          get: (target, name) => {
            const value: unknown = Reflect.get(target, name)
            if (typeof value === 'object' && value !== null) return failing(value)
            return typeof value !== 'function'
              ? value
              : (...args: unknown[]) => {
                  if (store.state === 'failing')
                    return Promise.reject(new HopperError('HOP_STORE_UNAVAILABLE', 'as the test wants it'))
                  if (store.state === 'silent') return new Promise(() => undefined)
                  return (value as (...all: unknown[]) => unknown).apply(target, args)
                }
          },
        })
      const health: RegistryStore['health'] = async () => [{ name: 'cassandra', healthy: store.state === 'available' }]
      return {
        registry: failing(storage.registry),
        secrets: failing(storage.secrets),
        health,
        close: async () => undefined,
      }
    },
    close: () => storage.close(),
  }
  return store
}

const settings = (): { file: string } & typeof rememberedDefaults => ({
  ...rememberedDefaults,
  everyMs: 50 as never,
  patienceMs: 100 as never,
  retryMs: 20 as never,
  file: join(root, `snapshot${files++}.json`),
})
const hasTaken = (file: string, text: string): Promise<void> =>
  vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain(text), 5_000)

it('answers from its snapshot while the store fails or is silent, and from the store when it is back', async () => {
  const store = await unsteady()
  const ownSettings = settings()
  const remembered = await RememberedRegistry.start(ownSettings, store.open, logger)
  await hasTaken(ownSettings.file, 'good')
  for (const state of ['failing', 'silent'] as const) {
    store.state = state
    expect(await remembered.registry.keyByHash('good')).toMatchObject({ hash: 'good' })
    expect(await remembered.registry.app('shop')).toMatchObject({ id: 'shop' })
    expect(await remembered.registry.funnels.list('shop')).toHaveLength(1)
    expect(await remembered.registry.elements.list('shop')).toEqual([])
  }
  store.state = 'failing'
  await expect(remembered.registry.keyByHash('new')).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
  await expect(remembered.registry.members.list('o')).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
  expect(await remembered.health()).toMatchObject([
    { name: 'cassandra', healthy: true, detail: expect.stringContaining('keys and funnels are those of') },
  ])
  store.state = 'available'
  await store.registry.keys.put('o', 'new', key('new'))
  expect(await remembered.registry.keyByHash('new')).toMatchObject({ hash: 'new' })
  expect(await remembered.health()).toEqual([{ name: 'cassandra', healthy: true }])
  await remembered.close()
  await store.close()
})

it('starts without its store, keeps revoked keys revoked, and uses the store as soon as it is back', async () => {
  const store = await unsteady()
  const ownSettings = settings()
  const before = await RememberedRegistry.start(ownSettings, store.open, logger)
  await hasTaken(ownSettings.file, 'bad')
  await store.registry.keys.remove('o', 'bad')
  await hasTaken(ownSettings.file, '"revoked":["bad"]')
  await before.close()

  store.state = 'failing'
  const warnings: string[] = []
  const after = await RememberedRegistry.start(ownSettings, store.open, {
    ...logger,
    warn: (_, message) => void warnings.push(message),
  })
  expect(warnings.join()).toContain('starts from its snapshot')
  expect(await after.registry.keyByHash('good')).toMatchObject({ hash: 'good' })
  expect(await after.registry.keyByHash('bad')).toBeUndefined()
  await expect(after.registry.keyByHash('unheard of')).rejects.toMatchObject({ code: 'HOP_STORE_UNAVAILABLE' })
  store.state = 'available'
  await vi.waitFor(async () => expect(await after.registry.keyByHash('unheard of')).toBeUndefined(), 5_000)
  await after.close()
  await store.close()
  expect(readdirSync(root).filter((name) => /json\.\d+$/.test(name))).toEqual([])
})

it('waits for the store when it has no readable snapshot, and reports what it waits for', async () => {
  const store = await unsteady()
  const ownSettings = settings()
  writeFileSync(ownSettings.file, '{"version":1,"at":')
  store.state = 'failing'
  const warnings: string[] = []
  const starting = RememberedRegistry.start(ownSettings, store.open, {
    ...logger,
    warn: (_, message) => void warnings.push(message),
  })
  await vi.waitFor(() => expect(warnings.length).toBeGreaterThan(1))
  store.state = 'available'
  const remembered = await starting
  expect(await remembered.registry.keyByHash('good')).toMatchObject({ hash: 'good' })
  await remembered.close()
  await store.close()
})

it('does not start with wrong settings', async () => {
  const open = async (): Promise<RegistryStore> => {
    throw new HopperError('HOP_CONFIG', 'no keyspace')
  }
  await expect(RememberedRegistry.start(settings(), open, logger)).rejects.toMatchObject({ code: 'HOP_CONFIG' })
})
