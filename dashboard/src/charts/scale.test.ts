import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { marksOfTimes, marksTo } from './scale.ts'

describe('the marks of an axis', () => {
  it('are round and reach the largest value', () => {
    expect(marksTo(347)).toEqual([0, 100, 200, 300, 400])
    expect(marksTo(0.081)).toEqual([0, 0.025, 0.05, 0.075, 0.1])
    expect(marksTo(0)).toEqual([0, 1])
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (most) => {
        const marks = marksTo(most)
        return marks[0] === 0 && marks.at(-1)! >= most * (1 - 1e-8) && marks.length >= 3 && marks.length <= 6
      }),
    )
  })

  it('of times are evenly spaced', () => {
    expect(marksOfTimes(30, 6)).toEqual([0, 5, 10, 15, 20, 25])
    expect(marksOfTimes(2, 6)).toEqual([0, 1])
    expect(marksOfTimes(0, 6)).toEqual([])
  })
})
