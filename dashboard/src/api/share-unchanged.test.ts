import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shareUnchanged } from './share-unchanged.ts'

describe('shareUnchanged', () => {
  it('keeps the older object for every equal part', () => {
    const older = { meta: { complete_to: 1 }, rows: [{ users: 3 }] }
    const shared = shareUnchanged(older, { meta: { complete_to: 2 }, rows: [{ users: 3 }] })
    expect(shared.rows).toBe(older.rows)
    expect(shared.meta).toEqual({ complete_to: 2 })
  })

  it('always equals the newer answer', () => {
    const answer = fc.dictionary(fc.string(), fc.jsonValue())
    fc.assert(
      fc.property(answer, answer, (older, newer) => {
        expect(JSON.stringify(shareUnchanged(older, newer))).toBe(JSON.stringify(newer))
      }),
    )
  })
})
