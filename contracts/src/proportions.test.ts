import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compareProportions,
  differenceInterval,
  fallOf,
  normalUpperTail,
  twoProportionZ,
  wilsonInterval,
  type Proportion,
} from './proportions.ts'

const proportion = fc.integer({ min: 1, max: 5_000 }).chain((n) => fc.record({ n: fc.constant(n), hits: fc.nat(n) }))

describe('the Wilson interval', () => {
  it('equals the published examples of Newcombe (1998), table I, method 3', () => {
    for (const [hits, n, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval({ hits, n })
      expect(interval.low).toBeCloseTo(low, 4)
      expect(interval.high).toBeCloseTo(high, 4)
    }
  })

  it('contains the share and stays within 0 and 1', () => {
    fc.assert(
      fc.property(proportion, (one) => {
        const { low, high } = wilsonInterval(one)
        return low >= 0 && high <= 1 && low <= one.hits / one.n + 1e-12 && high >= one.hits / one.n - 1e-12
      }),
    )
  })
})

describe('the difference of two proportions', () => {
  it('has the intervals of Newcombe (1998), table II, method 10', () => {
    for (const [a, b, low, high] of [
      [{ hits: 56, n: 70 }, { hits: 48, n: 80 }, 0.0524, 0.3339],
      [{ hits: 9, n: 10 }, { hits: 3, n: 10 }, 0.1705, 0.809],
      [{ hits: 5, n: 56 }, { hits: 0, n: 29 }, -0.0381, 0.1926],
    ] as const) {
      const interval = differenceInterval(a, b)
      expect(interval.low).toBeCloseTo(low, 4)
      expect(interval.high).toBeCloseTo(high, 4)
    }
  })

  it('has the z of the chi-square test without correction: its square is n(ad - bc)² / (r1 r2 c1 c2)', () => {
    fc.assert(
      fc.property(proportion, proportion, (a, b) => {
        const z = twoProportionZ(a, b)
        const [misses, missesB] = [a.n - a.hits, b.n - b.hits]
        const margins = a.n * b.n * (a.hits + b.hits) * (misses + missesB)
        if (margins === 0) return z === null
        const chiSquare = ((a.n + b.n) * (a.hits * missesB - misses * b.hits) ** 2) / margins
        return Math.abs(z! ** 2 - chiSquare) <= 1e-9 * Math.max(1, chiSquare)
      }),
    )
  })

  it('of the demo shop is real between desktop and mobile, and can be chance between two periods', () => {
    const [desktop, mobile]: Proportion[] = [
      { hits: 99, n: 955 },
      { hits: 42, n: 802 },
    ]
    const verdict = compareProportions(desktop!, mobile!)
    expect(verdict.is).toBe('real')
    expect((verdict as { z: number }).z).toBeCloseTo(3.92, 1)
    expect(compareProportions({ hits: 30, n: 370 }, { hits: 24, n: 370 }).is).toBe('chance')
  })

  it('makes no claim about small samples', () => {
    expect(compareProportions({ hits: 20, n: 29 }, { hits: 1, n: 1_000 }).is).toBe('few')
    expect(compareProportions({ hits: 1, n: 40 }, { hits: 0, n: 40 }).is).toBe('few')
    expect(compareProportions({ hits: 0, n: 0 }, { hits: 0, n: 0 }).is).toBe('few')
  })
})

describe('a fall beyond chance', () => {
  /** Integrates the density of the standard normal distribution by Simpson's rule. */
  const integratedTail = (z: number): number => {
    const [end, steps] = [12, 4_000]
    const width = (end - z) / steps
    const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
    let sum = density(z) + density(end)
    for (let i = 1; i < steps; i++) sum += density(z + i * width) * (i % 2 === 1 ? 4 : 2)
    return (sum * width) / 3
  }

  it('has the tail of the normal distribution, as its integral and as printed tables have it', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1.281552, 0.1],
      [1.644854, 0.05],
      [2.326348, 0.01],
      [3.090232, 0.001],
      [4.753424, 0.000001],
    ] as const)
      expect(normalUpperTail(z) / p).toBeCloseTo(1, 5)
    fc.assert(
      fc.property(fc.double({ min: -6, max: 8, noNaN: true }), (z) => {
        const expected = integratedTail(z)
        expect(Math.abs(normalUpperTail(z) - expected)).toBeLessThanOrEqual(1e-9 * expected + 1e-13)
      }),
    )
  })

  /** The mid-P value of Fisher's exact test: half the probability of `hits`, and that of fewer (hypergeometric). */
  const midP = (now: Proportion, before: Proportion): number => {
    const logFactorials = [0]
    for (let i = 1; i <= now.n + before.n; i++) logFactorials.push(logFactorials[i - 1]! + Math.log(i))
    const choose = (n: number, k: number): number => logFactorials[n]! - logFactorials[k]! - logFactorials[n - k]!
    const all = now.hits + before.hits
    let sum = 0
    for (let hits = Math.max(0, all - before.n); hits <= now.hits; hits++)
      sum +=
        Math.exp(choose(now.n, hits) + choose(before.n, all - hits) - choose(now.n + before.n, all)) *
        (hits === now.hits ? 0.5 : 1)
    return sum
  }

  it('has nearly the P value of the exact test of Fisher (mid-P) on large samples', () => {
    const share = fc.double({ min: 0.1, max: 0.9, noNaN: true })
    const shift = fc.double({ min: -0.1, max: 0.1, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 2_000 }), share, shift, (n, rate, change) => {
        const before = { n: n * 2, hits: Math.round(n * 2 * rate) }
        const now = { n, hits: Math.min(n, Math.max(0, Math.round(n * (rate + change)))) }
        const verdict = fallOf(now, before, 0.01, 100)
        if (verdict.is === 'few') return
        expect(Math.abs(verdict.p - midP(now, before))).toBeLessThan(0.01)
      }),
    )
  })

  it('is claimed neither of a rise nor of a small sample', () => {
    const before = { hits: 400, n: 1_000 }
    expect(fallOf({ hits: 300, n: 1_000 }, before, 0.01, 100).is).toBe('fall')
    expect(fallOf({ hits: 500, n: 1_000 }, before, 0.01, 100).is).toBe('chance')
    expect(fallOf({ hits: 390, n: 1_000 }, before, 0.01, 100).is).toBe('chance')
    expect(fallOf({ hits: 0, n: 99 }, before, 0.01, 100).is).toBe('few')
    expect(fallOf({ hits: 0, n: 1_000 }, { hits: 1, n: 1_000 }, 0.05, 100).is).toBe('few')
    expect(fallOf({ hits: 0, n: 0 }, { hits: 0, n: 0 }, 0.05, 30).is).toBe('few')
  })
})
