import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeNameHash } from '../client/name-hash.ts'
import { NameNumbers } from './name-numbers.ts'

describe('numbers of names', () => {
  it('are equal for equal hashes, different for different ones, and count up from 1', () => {
    const half = fc.constantFrom(0, 1, 2, 1_024, 0xffffffff)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(half, half), { maxLength: 60 }),
        fc.integer({ min: 0, max: 3_000 }),
        (hashes, more) => {
          const numbers = new NameNumbers()
          const expected = new Map<string, number>()
          const all = [
            ...hashes,
            ...Array.from({ length: more }, (_, index) => [index * 7, index * 1_024] as [number, number]),
            ...hashes,
          ]
          for (const [high, low] of all) {
            const name = `${high} ${low}`
            if (!expected.has(name)) expected.set(name, expected.size + 1)
            expect(numbers.numberOf(high, low)).toBe(expected.get(name))
          }
          expect(numbers.size).toBe(expected.size)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('distinguish names that differ little, as ids do', () => {
    const numbers = new NameNumbers()
    const halves = new Uint32Array(2)
    const count = (name: string): void => {
      writeNameHash(name, halves, 0)
      numbers.numberOf(halves[0]!, halves[1]!)
    }
    for (let index = 0; index < 200_000; index++) {
      count(`d:${randomUUID()}`)
      count(`u:user${index}`)
      count(`u:${String(index).padStart(16, '0')}@shop.example`)
      count(`d:${index.toString(2)}`)
      count(String.fromCharCode(index & 0xffff) + String.fromCharCode(index >> 8))
    }
    const last = 200_000 - 1
    expect(numbers.size).toBe(
      4 * 200_000 +
        new Set(Array.from({ length: last + 1 }, (_, index) => (index & 0xffff) * 65_536 + (index >> 8))).size,
    )
  })

  it('come from a hash that never changes', () => {
    const halves = new Uint32Array(6)
    ;['', 'd:device', 'u:\u{1f600}'].forEach((name, index) => writeNameHash(name, halves, 2 * index))
    expect([...halves]).toMatchInlineSnapshot(`
      [
        3954623016,
        1020716019,
        543737358,
        3918677568,
        2195789919,
        1655836341,
      ]
    `)
  })
})
