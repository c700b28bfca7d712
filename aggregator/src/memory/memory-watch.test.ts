import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MemoryWatch } from './memory-watch.ts'

const MB = 1_000_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('reports how long the memory budget is exceeded, and stays ready', () => {
  let used = 1_500
  const watch = new MemoryWatch(
    1_000 * MB,
    () => undefined,
    () => used * MB,
  )
  expect([watch.overSeconds, watch.health()]).toEqual([0, { name: 'memory', healthy: true }])
  watch.measure()
  vi.advanceTimersByTime(90_000)
  watch.measure()
  const detail =
    '1500 MB are in use, more than the 1000 MB allowed, for 90 s: events are counted more slowly; ' +
    'raise HOPPER_MEMORY_MB or start another aggregator'
  expect([watch.overSeconds, watch.health()]).toEqual([90, { name: 'memory', healthy: true, detail }])
  used = 800
  watch.measure()
  expect([watch.overSeconds, watch.health()]).toEqual([0, { name: 'memory', healthy: true }])
})
