import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IdFilter } from './id-filter.ts'

it('contains every id that was added', () => {
  const id = fc.oneof(
    fc.uuid(),
    fc.string({ maxLength: 128 }),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.nat().map(String),
  )
  fc.assert(
    fc.property(fc.array(id, { maxLength: 1_500, size: 'max' }), (ids) => {
      const filter = new IdFilter()
      for (const each of ids) filter.add(each)
      expect(ids.filter((each) => !filter.has(each))).toEqual([])
    }),
    { numRuns: 10 },
  )
})

it.each([
  ['random ids', () => randomUUID()],
  ['numbers in a row', (index: number) => `event-${index}`],
  [
    'ids that differ at their end',
    (index: number) => `00000000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`,
  ],
  ['ids that differ at their begin', (index: number) => `${index.toString(36)}-of-the-same-long-text`],
])('mistakes at most one new id in 1,000 for a known one, at any size, in bounded memory: %s', (_, idOf) => {
  const filter = new IdFilter()
  let wrong = 0
  const ids = 150_000
  for (let index = 0; index < ids; index++) {
    const id = idOf(index)
    if (filter.has(id)) wrong++
    filter.add(id)
  }
  expect(wrong / ids).toBeLessThan(0.001)
  expect(filter.bytes / ids).toBeLessThan(3 * 8 + 1)
})
