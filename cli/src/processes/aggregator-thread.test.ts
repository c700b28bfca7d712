import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { laneOf, type Envelope } from '@hopper/contracts'
import { openEmbedded } from '@hopper/storage/embedded'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { AggregatorThread } from './aggregator-thread.ts'

const LANES = 2
const dir = mkdtempSync(join(tmpdir(), 'hopper-thread-'))
let storage: Awaited<ReturnType<typeof openEmbedded>>
let thread: AggregatorThread

beforeAll(async () => {
  storage = await openEmbedded({ dir, lanes: LANES })
  // far less than any process has: the thread is over its bound from the first second on
  const options = { dir, lanes: LANES, watermarkCheck: true, logLevel: 'silent', memoryMb: 1 } as const
  thread = await AggregatorThread.start(options)
})
afterAll(async () => {
  await thread.close()
  await storage.close()
  rmSync(dir, { recursive: true })
})

const deviceOf = (lane: number): string => {
  for (let n = 0; ; n++) if (laneOf('shop', `d${n}`, LANES) === lane) return `d${n}`
}
const envelope = (lane: number): Envelope => ({
  version: 1,
  app: 'shop',
  device_id: deviceOf(lane),
  received_at: 1_760_000_000_000,
  context: { device: 'desktop', browser: '', os: '' },
  events: [],
})
const counted = (positions: readonly number[]): Promise<void> =>
  vi.waitFor(async () => expect(await storage.lanes.positions()).toEqual(positions), 10_000)

it('says that its memory is over the bound, and since when, beside its metrics', async () => {
  const [health] = await vi.waitFor(async () => {
    const parts = await thread.health()
    expect(parts[0]?.detail).toBeDefined()
    return parts
  }, 10_000)
  expect(health).toMatchObject({ name: 'memory', healthy: true })
  expect(health!.detail).toMatch(/^\d+ MB are in use, more than the 1 MB allowed, for \d+ s: /)
  const [metrics, again] = await Promise.all([thread.metrics(), thread.health()])
  expect(metrics.map(({ name }) => name)).toContain('hopper_aggregator_memory_over_seconds')
  expect(again[0]?.name).toBe('memory')
})

it('stays alive when the log loses messages under it: one lane is stalled and the other is counted', async () => {
  await storage.log.append([envelope(0), envelope(1)])
  await counted([1, 1])
  const other = new DatabaseSync(join(dir, 'log.db'))
  await storage.log.append([envelope(0)])
  await counted([2, 1])
  other.exec('UPDATE lane_0 SET first = 7 WHERE first = 1')
  other.close()
  await storage.log.append([envelope(1)])
  await counted([2, 2])
  await vi.waitFor(async () => {
    const [, sqlite] = await thread.health()
    expect(sqlite).toMatchObject({ name: 'sqlite', healthy: false })
    expect(sqlite!.detail).toContain('lacks positions 2 to 6 of lane 0')
  }, 10_000)
})
