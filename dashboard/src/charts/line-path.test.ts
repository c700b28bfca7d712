import { describe, expect, it } from 'vitest'
import { linePath, splitAtOpen } from './line-path.ts'

const points = [0, 1, 2, 3].map((x) => ({ x, y: 0 }))

describe('a line', () => {
  it('has gaps where there is no value, and dots for points alone', () => {
    expect(linePath([points[0]!, points[1]!, null, points[3]!])).toBe('M0 0L1 0M3 0h0')
    expect(linePath([])).toBe('')
  })

  it('is solid up to the last settled point and open from there', () => {
    const { settled, open } = splitAtOpen(points, 2)
    expect(linePath(settled)).toBe('M0 0L1 0')
    expect(linePath(open)).toBe('M1 0L2 0L3 0')
    expect(linePath(splitAtOpen(points, 0).open)).toBe('M0 0L1 0L2 0L3 0')
    expect(linePath(splitAtOpen(points, 4).open)).toBe('')
  })
})
