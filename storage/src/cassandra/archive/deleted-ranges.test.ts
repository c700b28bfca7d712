import { types } from 'cassandra-driver'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deletedRangesOf, compareTimeUuids } from './deleted-ranges.ts'

const id = fc
  .tuple(
    fc.nat(1e6),
    fc.nat(9999),
    fc.uint8Array({ minLength: 6, maxLength: 6 }),
    fc.uint8Array({ minLength: 2, maxLength: 2 }),
  )
  .map(([ms, ticks, node, clock]) =>
    types.TimeUuid.fromDate(new Date(Date.UTC(2026, 0) + ms), ticks, Buffer.from(node), Buffer.from(clock)),
  )
const ids = fc.uniqueArray(fc.tuple(id, fc.constantFrom('stays', 'old', 'added')), {
  selector: ([each]) => String(each),
  maxLength: 30,
})

describe('the ranges that a merge deletes', () => {
  it('contain every merged span and no remaining one, and none of them is without a merged span', () => {
    fc.assert(
      fc.property(ids, (all) => {
        const pick = (...kinds: string[]): { span: types.TimeUuid }[] =>
          all.filter(([, kind]) => kinds.includes(kind)).map(([span]) => ({ span }))
        const [old, stay] = [pick('old'), pick('stays', 'added')]
        const ranges = deletedRangesOf(pick('old', 'stays'), old, pick('added'))
        const rangeIndexOf = (span: types.TimeUuid): number =>
          ranges.findIndex(
            ({ after, before }) => compareTimeUuids(after, span) < 0 && compareTimeUuids(span, before) < 0,
          )
        expect(old.every(({ span }) => rangeIndexOf(span) >= 0)).toBe(true)
        expect(stay.every(({ span }) => rangeIndexOf(span) < 0)).toBe(true)
        expect(new Set(old.map(({ span }) => rangeIndexOf(span))).size).toBe(ranges.length)
        expect(ranges.length).toBeLessThanOrEqual(stay.length + 1)
      }),
    )
  })
})
