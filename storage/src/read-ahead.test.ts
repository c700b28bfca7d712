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
        const read = async (index: number): Promise<number> => {
          reading.add(index)
          expect(reading.size).toBeLessThanOrEqual(atOnce)
          const bytes = [...reading].reduce((sum, each) => sum + items[each]!.bytes, 0)
          if (reading.size > 1) expect(bytes).toBeLessThanOrEqual(bytesMax)
          await new Promise((done) => setTimeout(done, items[index]!.ms))
          return index
        }
        const got: number[] = []
        for await (const index of readAhead(items.keys(), read, {
          concurrency: atOnce,
          bytesMax,
          bytesOf: (index) => items[index]!.bytes,
        })) {
          reading.delete(index)
          got.push(index)
        }
        expect(got).toEqual([...items.keys()])
      },
    ),
    { numRuns: 60 },
  )
})

it('throws the failure of a read at its place, begins no further read and leaves nothing running', async () => {
  let [started, running] = [0, 0]
  const read = async (index: number): Promise<number> => {
    started++
    running++
    await new Promise((done) => setTimeout(done, index === 3 ? 1 : 20))
    running--
    if (index === 3) throw new Error('broken')
    return index
  }
  const got: number[] = []
  const all = async (): Promise<void> => {
    for await (const index of readAhead(
      Array.from({ length: 100 }, (_, n) => n),
      read,
      { concurrency: 5 },
    ))
      got.push(index)
  }
  await expect(all()).rejects.toThrow('broken')
  expect(got).toEqual([0, 1, 2])
  expect(started).toBeLessThan(12)
  expect(running).toBe(0)
})
