import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { bucketBounds, durationBucket } from '@hopper/contracts'
import { addDurations, conversionTime, countDurations } from './conversion-time.ts'

it('conversion times have the exact median, average, 90th percentile and histogram', () => {
  const ms = fc.oneof(
    fc.nat({ max: 300 }),
    fc.nat({ max: 5_000_000_000 }),
    fc.nat({ max: 120 }).map((bucket) => bucketBounds(bucket).from_ms),
  )
  // short lists are counted by bucket, long ones by half cell; each list is tried once and repeated
  const times = fc.constantFrom(1, 100)
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 60 }), fc.nat({ max: 60 }), times, (some, cut, many) => {
      const values = Array.from({ length: many }, () => some).flat()
      const sorted = [...values].sort((a, b) => a - b)
      const blocks = [Float64Array.from(values.slice(0, cut)), Float64Array.from(values.slice(cut))]
      const found = conversionTime(blocks)
      const joined = countDurations(blocks.slice(0, 1))
      addDurations(joined, countDurations(blocks.slice(1)))
      expect(conversionTime(blocks, joined)).toEqual(found)
      expect(found.average_ms).toBe(values.reduce((sum, value) => sum + value, 0) / values.length)
      expect(found.median_ms).toBe((sorted[(values.length - 1) >> 1]! + sorted[values.length >> 1]!) / 2)
      expect(found.p90_ms).toBe(sorted[Math.ceil(values.length * 0.9) - 1])
      const buckets = [...new Set(sorted.map(durationBucket))]
      expect(found.histogram).toEqual(
        buckets.map((b) => ({ ...bucketBounds(b), count: sorted.filter((v) => durationBucket(v) === b).length })),
      )
    }),
  )
})
