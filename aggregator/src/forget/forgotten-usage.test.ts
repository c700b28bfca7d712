import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyTally, receivedBytes, usageId, type ForgetPart, type Usage } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { expect, it } from 'vitest'
import { subtractUsage } from './forgotten-usage.ts'

it('subtracts the events of a forgotten person at the mean size of events, once, and not below nothing', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-usage-'))
  const storage = await openEmbedded({ dir, lanes: 1 })
  try {
    const { registry } = storage
    const received = async (): Promise<number> => receivedBytes({ timezone: 'UTC' }, await registry.usages.list('shop'))
    const put = (usage: Usage): Promise<void> => registry.usages.put('shop', usageId(usage), usage)
    await put({ app: 'shop', process: 'a', date: '2026-01-01', bytes: 600, events: 4 })
    await put({ app: 'shop', process: 'b', date: '2026-01-02', bytes: 400, events: 6 })
    const putPart = async (lane: number, clicks: number): Promise<void> => {
      const tally = { ...emptyTally, events: { click: clicks }, repeated: 1 }
      const part: ForgetPart = { forget: 'f', lane, tally, step: 'done', requested_at: 0, devices: [] }
      await registry.forgetParts.put('shop', `f ${lane}`, part)
    }
    await putPart(0, 2)
    for (let time = 0; time < 2; time++) await subtractUsage(registry, { app: 'shop', id: 'f' })
    expect(await received()).toBe(1_000 - 300)
    await subtractUsage(registry, { app: 'shop', id: 'nobody' })
    expect(await received()).toBe(700)
    await putPart(1, 1_000)
    await subtractUsage(registry, { app: 'shop', id: 'f' })
    expect(await received()).toBe(0)
  } finally {
    await storage.close()
    rmSync(dir, { recursive: true })
  }
})
