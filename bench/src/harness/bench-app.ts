import { createHash } from 'node:crypto'
import type { App } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'

/** The write key that `putWriteKey` registers. */
export const WRITE_KEY = 'hw_bench_0123456789abcdef'

/** Registers an app with its organization. */
export async function putApp(registry: Registry, id = 'bench'): Promise<App> {
  const app: App = { id, organization: 'bench', name: id, timezone: 'UTC', origins: [], keep_parameters: [] }
  await registry.organizations.put('', 'bench', { id: 'bench', name: 'Bench' })
  await registry.apps.put('bench', id, app)
  return app
}

/** Registers the write key of an app. */
export async function putWriteKey(registry: Registry, { id, organization }: App): Promise<void> {
  const hash = createHash('sha256').update(WRITE_KEY).digest('hex')
  await registry.keys.put(organization, hash, {
    hash,
    power: 'write',
    organization,
    app: id,
    created_at: Date.now(),
    hint: WRITE_KEY.slice(-4),
  })
}
