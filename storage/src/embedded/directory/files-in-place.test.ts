import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Envelope } from '@hopper/contracts'
import { afterAll, expect, it, vi } from 'vitest'
import { openEmbedded } from '../embedded.ts'

const root = mkdtempSync(join(tmpdir(), 'hopper-in-place-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const envelope: Envelope = {
  version: 1,
  app: 'a',
  device_id: 'd',
  received_at: 1,
  context: { device: 'unknown', browser: '', os: '' },
  events: [],
}
const ways: readonly [string, (dir: string) => void][] = [
  ['log.db', (dir) => rmSync(join(dir, 'log.db'))],
  ['tables.db', (dir) => renameSync(join(dir, 'tables.db'), join(dir, 'elsewhere'))],
  ['lock.db', (dir) => (rmSync(join(dir, 'lock.db')), writeFileSync(join(dir, 'lock.db'), ''))],
  ['log.db', (dir) => rmSync(dir, { recursive: true })],
]

it.each(ways)(
  'a running installation whose %s is removed or replaced refuses appends, and reports it',
  async (name, takeAway) => {
    const dir = mkdtempSync(join(root, 'd'))
    const storage = await openEmbedded({ dir, lanes: 1 })
    await storage.log.append([envelope])
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(await storage.health()).toEqual([{ name: 'sqlite', healthy: true }])
    takeAway(dir)
    await vi.waitFor(
      () => expect(storage.log.append([envelope])).rejects.toMatchObject({ code: 'HOP_LOG_UNAVAILABLE' }),
      5_000,
    )
    expect(await storage.health()).toEqual([
      { name: 'sqlite', healthy: false, detail: expect.stringContaining(`${name} was removed or replaced`) },
    ])
    await storage.close().catch(() => undefined)
  },
)
