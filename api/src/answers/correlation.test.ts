import fc from 'fast-check'
import { bucketBounds } from '@hopper/contracts'
import { expect, test } from 'vitest'
import { durationCorrelation } from './correlation.ts'

const bucket = fc.record({ bucket: fc.integer({ min: 4, max: 60 }), leave: fc.nat(9), click: fc.nat(9) })

test("equals Pearson's correlation of the individual durations", () => {
  fc.assert(
    fc.property(fc.uniqueArray(bucket, { selector: (one) => one.bucket, maxLength: 12 }), (buckets) => {
      const points = buckets.flatMap(({ bucket, leave, click }) => {
        const { from_ms, to_ms } = bucketBounds(bucket)
        const x = Math.log(Math.sqrt(from_ms * to_ms))
        return [...Array<[number, number]>(leave).fill([x, 0]), ...Array<[number, number]>(click).fill([x, 1])]
      })
      const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
      const [mx, my] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
      const covariance = mean(points.map(([x, y]) => (x - mx) * (y - my)))
      const spread = Math.sqrt(mean(points.map(([x]) => (x - mx) ** 2)) * mean(points.map(([, y]) => (y - my) ** 2)))
      const correlation = durationCorrelation(buckets)
      if (new Set(points.map(([x]) => x)).size < 2 || new Set(points.map(([, y]) => y)).size < 2)
        expect(correlation).toBeNull()
      else expect(correlation).toBeCloseTo(covariance / spread, 8)
    }),
  )
})
