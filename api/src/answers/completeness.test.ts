import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openEmbedded } from '@hopper/storage/embedded'
import { withOverrides } from '@hopper/storage'
import { Completeness } from './completeness.ts'

const envelope = (device_id: string, received_at: number): never =>
  ({
    version: 1,
    app: 'shop',
    device_id,
    received_at,
    context: { device: 'desktop', browser: '', os: '' },
    events: [],
  }) as never

test('complete_to is now, or the newest instant counted in full, or before the oldest uncounted message', async () => {
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

test('the backlog has estimated events, and concerns an app unless it was read and has no message of it', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-waiting-'))
  const { log, lanes, close } = await openEmbedded({ dir, lanes: 1 })
  const completeness = new Completeness(log, lanes, () => 1_000_000)
  const lease = await lanes.acquire(0, 'test')
  const backlog = async (): Promise<unknown[]> => {
    const progress = await completeness.progress()
    return [
      await completeness.waiting(progress),
      await completeness.mayConcern('shop', progress),
      await completeness.mayConcern('blog', progress),
    ]
  }
  expect(await backlog()).toEqual([{ messages: 0, events: 0 }, false, false])
  const events = Array.from({ length: 40 }, (_, i) => ({
    type: 'custom',
    name: 'test',
    event_id: `e${i}`,
    timestamp: 1,
    seq: 0,
  }))
  await log.append([{ ...(envelope('a', 999_000) as object), events } as never])
  expect(await backlog()).toEqual([{ messages: 1, events: 40 }, true, false])
  await log.append(
    Array.from({ length: 40 }, (_, i) => ({ ...(envelope(`d${i}`, 999_000) as object), events }) as never),
  )
  expect(await backlog()).toEqual([{ messages: 41, events: 41 * 40 }, true, true])
  await lanes.commit(lease, 41)
  expect(await backlog()).toEqual([{ messages: 0, events: 0 }, false, false])
  await close()
  rmSync(dir, { recursive: true })
})

test('a long backlog is sampled only at intervals, however often the status is requested', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-backlog-'))
  const { log, lanes, close } = await openEmbedded({ dir, lanes: 1 })
  let reads = 0
  const counting = withOverrides(log, { read: (...range) => (reads++, log.read(...range)) })
  await log.append(Array.from({ length: 40 }, (_, i) => envelope(`d${i}`, 999_000)))
  const completeness = new Completeness(counting, lanes, () => 1_000_000)
  for (let round = 0; round < 3; round++) {
    const requests = Array.from({ length: 5 }, async () => completeness.waiting(await completeness.progress()))
    expect(await Promise.all(requests)).toEqual(Array.from({ length: 5 }, () => ({ messages: 40, events: 0 })))
  }
  // one read for complete_to, one for the backlog
  expect(reads).toBe(2)
  await close()
  rmSync(dir, { recursive: true })
})

test.each(['refuses', 'does not answer'])(
  'a log that %s delays no answer: instants proved before, or reached since, are still known',
  async (how) => {
    const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
    const { log, lanes, close } = await openEmbedded({ dir, lanes: 1 })
    let now = 1_000_000
    let isUnavailable = false
    const fail = (): Promise<never> =>
      how === 'refuses' ? Promise.reject(new Error('refused by the test')) : new Promise(() => undefined)
    const flaky = withOverrides(log, { ends: () => (isUnavailable ? fail() : log.ends()) })
    const completeness = new Completeness(flaky, lanes, () => now)
    const lease = await lanes.acquire(0, 'test')
    await log.append([envelope('a', 999_000)])
    await lanes.commit(lease, 1)
    expect(await completeness.progress()).toMatchObject({ completeTo: 1_000_000, isLogUnavailable: false })
    now = 1_001_000
    await log.append([envelope('b', 1_000_500)])
    expect((await completeness.progress()).completeTo).toBe(1_000_000)

    isUnavailable = true
    now = 1_050_000
    const started = performance.now()
    expect(await completeness.progress()).toMatchObject({
      completeTo: 1_000_000,
      ends: [2],
      done: [1],
      isLogUnavailable: true,
    })
    await lanes.commit(lease, 2)
    for (let times = 0; times < 20; times++)
      expect(await completeness.progress()).toMatchObject({ completeTo: 1_001_000, isLogUnavailable: true })
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(await new Completeness(withOverrides(log, { ends: fail }), lanes, () => now).progress()).toMatchObject({
      completeTo: null,
      isLogUnavailable: true,
    })

    if (how === 'refuses') {
      isUnavailable = false
      await expect.poll(async () => (await completeness.progress()).isLogUnavailable).toBe(false)
      expect((await completeness.progress()).completeTo).toBe(1_050_000)
    }
    await close()
    rmSync(dir, { recursive: true })
  },
)

test('it polls by itself, so that an instant is known if the log fails before the first request', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
  const { log, lanes, close } = await openEmbedded({ dir, lanes: 1 })
  let now = 1_000_000
  let isUnavailable = false
  const completeness = new Completeness(
    withOverrides(log, { ends: () => (isUnavailable ? Promise.reject(new Error('refused by the test')) : log.ends()) }),
    lanes,
    () => now,
  )
  const watch = completeness.watch()
  await new Promise((next) => setTimeout(next, 200))
  isUnavailable = true
  now = 2_000_000
  expect(await completeness.progress()).toMatchObject({ completeTo: 1_000_000, isLogUnavailable: true })
  watch.stop()
  await close()
  rmSync(dir, { recursive: true })
})

test('a process started while the log is unavailable reports what the previous one recorded, and no more', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
  const { log, lanes, registry, close } = await openEmbedded({ dir, lanes: 1 })
  let now = 1_000_000
  const lease = await lanes.acquire(0, 'test')
  const unavailable = withOverrides(log, { ends: () => Promise.reject(new Error('refused by the test')) })
  const young = (): Promise<{ completeTo: number | null }> =>
    new Completeness(unavailable, lanes, () => now, registry).progress()
  expect((await young()).completeTo).toBeNull()

  const first = new Completeness(log, lanes, () => now, registry)
  expect((await first.progress()).completeTo).toBe(1_000_000)
  now = 1_001_000
  await log.append([envelope('a', 1_000_500)])
  const watch = first.watch()
  await vi.waitFor(async () => expect((await registry.lastSeenLog.list('')).length).toBe(1))
  watch.stop()
  expect(await registry.lastSeenLog.get('', 'last')).toEqual({ at: 1_001_000, ends: [1], complete_to: 1_000_000 })
  now = 5_000_000
  await log.append([envelope('b', 4_000_000)])
  expect(await young()).toMatchObject({ completeTo: 1_000_000, ends: [1], done: [0], isLogUnavailable: true })
  await lanes.commit(lease, 1)
  expect(await young()).toMatchObject({ completeTo: 1_001_000, ends: [1], done: [1] })
  await lanes.commit(lease, 2)
  // the log may hold more by now, so nothing later is claimed
  expect(await young()).toMatchObject({ completeTo: 1_001_000, ends: [2], done: [2] })
  await close()
  rmSync(dir, { recursive: true })
})

test('while an app is deferred, the instant of each app is its own', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
  const { log, lanes, registry, close } = await openEmbedded({ dir, lanes: 1 })
  let now = 1_000_000
  const completeness = new Completeness(log, lanes, () => now, registry)
  const completeOf = async (app?: string): Promise<[number | null, boolean]> => {
    const progress = await completeness.progress(app)
    return [progress.completeTo, await completeness.mayConcern(app ?? 'shop', progress)]
  }
  const lease = await lanes.acquire(0, 'test')
  expect(await completeOf('shop')).toEqual([1_000_000, false])
  now = 2_000_000
  await log.append([envelope('a', 1_500_000), envelope('b', 1_500_000), envelope('c', 1_500_000)])
  expect(await completeOf('shop')).toEqual([1_000_000, true])
  now = 3_000_000
  await log.append([envelope('d', 2_500_000)])
  // the owner is at position 3, but of the heavy app it has counted one message only
  await lanes.commit(lease, 1)
  await registry.ahead.put('', '0', { lane: 0, position: 1, ahead: 3, behind: { heavy: 1, late: 2 } })
  expect((await completeOf('shop'))[0]).toBe(2_000_000)
  expect((await completeOf('heavy'))[0]).toBe(1_000_000)
  expect((await completeOf('late'))[0]).toBe(1_000_000)
  expect((await completeOf())[0]).toBe(1_000_000)
  await registry.ahead.put('', '0', { lane: 0, position: 1, ahead: 4, behind: { heavy: 1, late: 3 } })
  now = 4_000_000
  expect(await completeOf('blog')).toEqual([4_000_000, false])
  expect((await completeOf('late'))[0]).toBe(2_000_000)
  expect((await completeOf('heavy'))[0]).toBe(1_000_000)
  // a record of another committed position says nothing: the lane may have been counted again
  await registry.ahead.put('', '0', { lane: 0, position: 0, ahead: 4, behind: {} })
  expect((await completeOf('blog'))[0]).toBe(1_000_000)
  await close()
  rmSync(dir, { recursive: true })
})

test('a lane that ends before its counted position proves nothing, and its loss is reported', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'hopper-complete-'))
  const { log, lanes, close } = await openEmbedded({ dir, lanes: 2 })
  let now = 1_000_000
  let [starts, ends] = [
    [0, 0],
    [10, 10],
  ]
  const completeness = new Completeness(
    withOverrides(log, { ends: async () => ends, starts: async () => starts }),
    lanes,
    () => now,
  )
  for (const lane of [0, 1]) await lanes.commit(await lanes.acquire(lane, 'test'), 10)
  expect(await completeness.progress()).toMatchObject({ completeTo: 1_000_000, isLogCut: false })
  now = 2_000_000
  // Counting advanced between the two reads: the log was not truncated.
  await lanes.commit(await lanes.acquire(0, 'test'), 12)
  let progress = await completeness.progress()
  expect([progress.completeTo, progress.isLogCut, await completeness.losses(progress)]).toEqual([2_000_000, false, []])
  ends = [3, 20]
  starts = [0, 15]
  now = 3_000_000
  progress = await completeness.progress()
  expect(progress).toMatchObject({ completeTo: 2_000_000, isLogCut: true })
  expect(await completeness.mayConcern('shop', progress)).toBe(true)
  expect(await completeness.losses(progress)).toEqual([
    { lane: 0, first: 3, next: 12, isCut: true },
    { lane: 1, first: 10, next: 15, isCut: false },
  ])
  await close()
  rmSync(dir, { recursive: true })
})
