import { bucketBounds } from '@hopper/contracts'
import { describe, expect, it } from 'vitest'
import { densityOf, marksOfDurations } from './densities.ts'

const buckets = (from: number, counts: readonly number[]): { from_ms: number; to_ms: number; count: number }[] =>
  counts.map((count, index) => ({ ...bucketBounds(from + index), count }))

describe('densityOf', () => {
  it('is the same for groups of any size, and is largest where most are', () => {
    const few = densityOf(buckets(40, [0, 1, 3, 1, 0]))
    const many = densityOf(buckets(40, [0, 100, 300, 100, 0]))
    many.forEach(({ ms, share }, index) => {
      expect(ms).toBe(few[index]!.ms)
      expect(share).toBeCloseTo(few[index]!.share, 10)
    })
    const most = Math.max(...few.map(({ share }) => share))
    expect(few.findIndex(({ share }) => share === most)).toBe(3)
  })

  it('begins and ends at 0, and has no points without observations', () => {
    const density = densityOf(buckets(40, [5, 5]))
    expect([density[0]!.share, density.at(-1)!.share]).toEqual([0, 0])
    expect(density.every(({ ms }, index) => index === 0 || ms > density[index - 1]!.ms)).toBe(true)
    expect([densityOf([]), densityOf(buckets(40, [0, 0]))]).toEqual([[], []])
  })
})

describe('marksOfDurations', () => {
  it('has round durations inside of the axis', () => {
    expect(marksOfDurations(90, 12_000)).toEqual([100, 300, 1_000, 3_000, 10_000])
    expect(marksOfDurations(11, 12)).toEqual([])
  })
})
