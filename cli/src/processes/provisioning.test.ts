import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { provisionAll } from './provisioning.ts'

const DEMO_KEY = 'hw_demo_0123456789abcdef'

it('gives the demo app a quota where others reach it, until an admin sets another one or none', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-demo-quota-'))
  const storage = await openEmbedded({ dir, lanes: 1 })
  try {
    const { registry } = storage
    const start = async (isDemoPublic: boolean): Promise<number | null | undefined> => {
      await provisionAll(registry, { file: undefined, demoKey: DEMO_KEY, isDemoPublic }, 'http://127.0.0.1')
      return (await registry.app('demo-shop'))?.quota_bytes
    }
    expect(await start(false)).toBeUndefined()
    expect(await start(true)).toBe(1_000_000_000)
    const app = (await registry.app('demo-shop'))!
    for (const quota_bytes of [5, null]) {
      await registry.apps.put(app.organization, app.id, { ...app, quota_bytes })
      expect(await start(true)).toBe(quota_bytes)
    }
  } finally {
    await storage.close()
    rmSync(dir, { recursive: true })
  }
})
