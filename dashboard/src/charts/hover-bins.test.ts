import { describe, expect, it } from 'vitest'
import { hoverBins } from './hover-bins.ts'

const bucket = (from_ms: number, to_ms: number, leave: number, click: number) => ({ from_ms, to_ms, leave, click })

describe('hoverBins', () => {
  it('puts groups on one axis, and the shares of each add up to one', () => {
    const bins = hoverBins([
      { hovers: 4, histogram: [bucket(0, 2, 1, 0), bucket(2, 3, 0, 1), bucket(3, 4, 0, 0), bucket(4, 5, 2, 0)] },
      { hovers: 5, histogram: [bucket(3, 4, 1, 1), bucket(4, 5, 0, 0), bucket(5, 6, 3, 0)] },
    ])
    expect(bins).toEqual([
      { from_ms: 0, to_ms: 5, shares: [1, 2 / 5] },
      { from_ms: 5, to_ms: 6, shares: [0, 3 / 5] },
    ])
  })

  it('has no bins without looks', () => {
    expect(hoverBins([{ hovers: 0, histogram: [] }])).toEqual([])
  })
})
