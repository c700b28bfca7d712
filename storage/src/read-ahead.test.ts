import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { readAhead } from './read-ahead.ts'

it('yields results in order and never exceeds the limits of reads and bytes in flight', async () => {
  const item = fc.record({ bytes: fc.nat(100), ms: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(
      fc.array(item),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 200 }),
      async (items, atOnce, bytesMax) => {
        const reading = new Set<number>()
        const read = async (at: number): Promise<number> => {
          reading.add(at)
          expect(reading.size).toBeLessThanOrEqual(atOnce)
          const bytes = [...reading].reduce((sum, each) => sum + items[each]!.bytes, 0)
          if (reading.size > 1) expect(bytes).toBeLessThanOrEqual(bytesMax)
          await new Promise((done) => setTimeout(done, items[at]!.ms))
          return at
        }
        const got: number[] = []
        for await (const at of readAhead(items.keys(), read, {
          concurrency: atOnce,
          bytesMax,
          bytesOf: (at) => items[at]!.bytes,
        })) {
          reading.delete(at)
          got.push(at)
        }
        expect(got).toEqual([...items.keys()])
      },
    ),
    { numRuns: 60 },
  )
})

it('throws the failure of a read at its place, begins no further read and leaves nothing running', async () => {
  let [started, running] = [0, 0]
  const read = async (at: number): Promise<number> => {
    started++
    running++
    await new Promise((done) => setTimeout(done, at === 3 ? 1 : 20))
    running--
    if (at === 3) throw new Error('broken')
    return at
  }
  const got: number[] = []
  const all = async (): Promise<void> => {
    for await (const at of readAhead(
      Array.from({ length: 100 }, (_, n) => n),
      read,
      { concurrency: 5 },
    ))
      got.push(at)
  }
  await expect(all()).rejects.toThrow('broken')
  expect(got).toEqual([0, 1, 2])
  expect(started).toBeLessThan(12)
  expect(running).toBe(0)
})
