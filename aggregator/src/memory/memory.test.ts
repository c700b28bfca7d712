import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { defaultMemoryBytes, memoryShares } from './memory-shares.ts'
import { MemoryWatch } from './memory-watch.ts'
import { MessageGate } from './message-gate.ts'

const MB = 1_000_000

describe('the memory of an aggregator', () => {
  it("is a share of the container's memory, and no more than the heap allows", () => {
    expect(defaultMemoryBytes(768 * MB, 4_000 * MB)).toBe(512 * MB)
    expect(defaultMemoryBytes(512 * MB, 4_000 * MB)).toBe(358_400_000)
    expect(defaultMemoryBytes(16_000 * MB, 4_000 * MB)).toBe(512 * MB)
    expect(defaultMemoryBytes(16_000 * MB, 256 * MB)).toBe(356 * MB)
    expect(defaultMemoryBytes(100 * MB, 50 * MB)).toBe(200 * MB)
  })

  it('is divided so that all parts fit together, whatever its size', () => {
    for (const total of [256 * MB, 512 * MB, 768 * MB, 8_000 * MB]) {
      const { rows, messages, deferred, held, seen, identified } = memoryShares(total)
      expect(rows + 12 * (messages + deferred) + held + seen + identified).toBeLessThanOrEqual(total)
      expect(messages).toBeGreaterThan(1 * MB)
    }
  })

  it('is reported as near, over or within its bound once per crossing', () => {
    let used = 100
    const reported: string[] = []
    const watch = new MemoryWatch(
      1_000,
      (level, at) => void reported.push(`${level} ${at}`),
      () => used,
    )
    for (const next of [100, 840, 851, 900, 840, 760, 851, 1_000, 1_200, 990, 930, 1_010, 920, 751, 749, 800, 900]) {
      used = next
      watch.measure()
    }
    expect(reported).toEqual(['near 851', 'over 1000', 'near 920', 'within 749', 'near 900'])
  })
})

describe('the gate of messages', () => {
  it('admits bytes up to its limit in order, one batch of any size, and small ones immediately', async () => {
    const gate = new MessageGate(1 * MB)
    const started: string[] = []
    const ends = new Map<string, () => void>()
    const work = (name: string, bytes: number): Promise<void> =>
      gate.during(
        bytes,
        () =>
          new Promise((end) => {
            started.push(name)
            ends.set(name, end)
          }),
      )
    const all = [work('huge', 5 * MB), work('a', 600_000), work('b', 600_000), work('small', 1_000), work('c', 300_000)]
    await setImmediate()
    expect([started, gate.waiting]).toEqual([['huge', 'small'], 3])
    ends.get('huge')!()
    ends.get('small')!()
    await setImmediate()
    expect([started, gate.bytes]).toEqual([['huge', 'small', 'a'], 600_000])
    ends.get('a')!()
    await setImmediate()
    expect([started.slice(3), gate.bytes]).toEqual([['b', 'c'], 900_000])
    for (const name of ['b', 'c']) ends.get(name)!()
    await Promise.all(all)
    expect([gate.bytes, gate.waiting]).toEqual([0, 0])
    await expect(gate.during(100_000, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
    expect(gate.bytes).toBe(0)
  })
})
