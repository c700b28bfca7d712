import { statSync } from 'node:fs'
import { join } from 'node:path'
import { usedBytes, type DiskUse } from '@hopper/contracts'
import { pino } from 'pino'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { makeInstallation } from '../testing/installation.fixture.ts'
import { DiskWatch } from './disk-watch.ts'

const logger = pino({ level: 'silent' })

it('measures a data directory by part, stores it with samples, and shows it in the metrics', async () => {
  await using installation = await makeInstallation()
  const { storage, dir } = installation
  const { registry } = storage
  let now = Date.now()
  const measure = (): Promise<DiskUse> => storage.diskUse!()
  const metrics = new Registry()
  const watch = new DiskWatch({ registry, place: 'data', measure, metrics, logger, clock: () => now })
  await watch.measure()
  const stored = (await registry.disks.get('', 'data'))!
  expect(stored.parts.map(({ part }) => part)).toEqual(expect.arrayContaining(['log', 'tables', 'registry']))
  expect(stored.free).toBeGreaterThan(0)
  expect(usedBytes(stored)).toBeGreaterThanOrEqual(statSync(join(dir, 'tables.db')).size)
  now += 2 * 3_600_000
  await watch.measure()
  expect((await registry.disks.get('', 'data'))!.samples).toHaveLength(2)
  const text = await metrics.metrics()
  expect(text).toMatch(/hopper_disk_bytes\{place="data",part="log"\} \d+/)
  expect(text).toMatch(/hopper_disk_free_bytes\{place="data"\} [1-9]/)
  expect(text).toMatch(/hopper_disk_low\{place="data"\} [01]/)
  await watch.close()
})

it('leaves the place to one process at a time, and forgets places of processes that are gone', async () => {
  await using installation = await makeInstallation()
  const { registry } = installation.storage
  const now = Date.now()
  await registry.disks.put('', 'gone', { place: 'gone', measured_at: 1, parts: [], samples: [] })
  const { promise, resolve } = Promise.withResolvers<void>()
  let measured = 0
  const measure = async (): Promise<{ parts: [] }> => {
    measured++
    await promise
    return { parts: [] }
  }
  const watched = { registry, place: 'data', measure, logger, clock: () => now }
  const first = new DiskWatch({ ...watched, metrics: new Registry() })
  await expect.poll(() => measured).toBe(1)
  const second = new DiskWatch({ ...watched, metrics: new Registry() })
  await second.measure()
  resolve()
  await first.measure()
  expect(measured).toBe(1)
  expect((await registry.disks.list('')).map(({ place }) => place)).toEqual(['data'])
  await Promise.all([first.close(), second.close()])
})
