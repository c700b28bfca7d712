import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { Completeness } from './completeness.ts'

const envelope = (device_id: string, received_at: number): never =>
  ({ version: 1, app: 'shop', device_id, received_at, context: { device: 'desktop', browser: '', os: '' }, events: [] }) as never

test('complete_to is now when all is counted, else the newest instant whose ends are counted, else before the oldest that waits', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
  const { log, lanes, close } = await openEmbedded({ dir, lanes: 1 })
  let now = 1_000_000
  const completeness = new Completeness(log, lanes, () => now)
  const lease = await lanes.acquire(0, 'test')
  expect((await completeness.progress()).completeTo).toBe(1_000_000)
  now = 1_001_000
  await log.append([envelope('a', 1_000_500)])
  expect((await completeness.progress()).completeTo).toBe(1_000_000)
  now = 1_002_000
  await log.append([envelope('b', 1_001_500)])
  await lanes.commit(lease, 1)
  expect(await completeness.progress()).toMatchObject({ completeTo: 1_001_000, ends: [2], done: [1] })
  expect((await new Completeness(log, lanes, () => now).progress()).completeTo).toBe(1_001_500 - 60_000)
  await lanes.commit(lease, 2)
  expect((await completeness.progress()).completeTo).toBe(1_002_000)
  await close()
  rmSync(dir, { recursive: true })
})
