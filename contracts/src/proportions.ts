/** Successes out of trials. */
export interface Proportion {
  readonly hits: number
  readonly n: number
}

export interface Interval {
  readonly low: number
  readonly high: number
}

/** The quantile of the normal distribution that leaves 2.5 % on each side: 95 % intervals and tests at 5 %. */
export const Z95 = 1.959964
/** Below this many trials no claim is made. */
export const SAMPLE_MIN = 30
/** The normal approximation of the test needs this many expected hits and misses in each group. */
const EXPECTED_MIN = 5

/** Returns the share of hits; null without trials. */
export function shareOf({ hits, n }: Proportion): number | null {
  return n === 0 ? null : hits / n
}

/**
 * Returns the Wilson score interval of a proportion, without continuity correction.
 * E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927), 209-212;
 * method 3 of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872. Between 0 and 1 without trials.
 */
export function wilsonInterval({ hits, n }: Proportion, z = Z95): Interval {
  if (n === 0) return { low: 0, high: 1 }
  const share = hits / n
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  const center = share + (z * z) / (2 * n)
  return { low: Math.max(0, (center - spread) / scale), high: Math.min(1, (center + spread) / scale) }
}

/**
 * Returns the interval of the difference `a - b` of two independent proportions, from their Wilson intervals: method 10
 * of R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890.
 */
export function differenceInterval(a: Proportion, b: Proportion, z = Z95): Interval {
  const [shareA, shareB] = [shareOf(a) ?? 0, shareOf(b) ?? 0]
  const [ofA, ofB] = [wilsonInterval(a, z), wilsonInterval(b, z)]
  const difference = shareA - shareB
  return {
    low: difference - Math.hypot(shareA - ofA.low, ofB.high - shareB),
    high: difference + Math.hypot(ofA.high - shareA, shareB - ofB.low),
  }
}

/**
 * Returns z of the two-proportion test with pooled variance (Fleiss, Levin, Paik, Statistical Methods for Rates and
 * Proportions, 3rd ed., 2003, section 3.1); positive if `a` is larger. Null if one of the groups is empty or both are
 * all hits or all misses.
 */
export function twoProportionZ(a: Proportion, b: Proportion): number | null {
  if (a.n === 0 || b.n === 0) return null
  const pooled = (a.hits + b.hits) / (a.n + b.n)
  const variance = pooled * (1 - pooled) * (1 / a.n + 1 / b.n)
  return variance === 0 ? null : (a.hits / a.n - b.hits / b.n) / Math.sqrt(variance)
}

/** Returns whether one of two samples is too small for the test: fewer trials, or fewer expected hits or misses. */
function areFew(a: Proportion, b: Proportion, sampleMin: number): boolean {
  const pooled = (a.hits + b.hits) / (a.n + b.n)
  return [a, b].some(({ n }) => n < sampleMin || Math.min(n * pooled, n * (1 - pooled)) < EXPECTED_MIN)
}

/** Verdict on the difference of two proportions. */
export type Verdict =
  { readonly is: 'few' } | { readonly is: 'chance'; readonly z: number } | { readonly is: 'real'; readonly z: number }

/**
 * Judges whether two proportions differ beyond chance, at the level of 5 %: `few` where a sample is too small for any
 * claim.
 */
export function compareProportions(a: Proportion, b: Proportion): Verdict {
  const z = twoProportionZ(a, b)
  if (z === null || areFew(a, b, SAMPLE_MIN)) return { is: 'few' }
  return { is: Math.abs(z) >= Z95 ? 'real' : 'chance', z }
}

const SERIES_BELOW = 3
const FRACTION_TERMS = 60

/**
 * Returns the probability that a standard normal variable is larger than `z`: the one-sided P value of a z statistic.
 * The series 26.2.11 and, in the tail, the continued fraction 26.2.14 of M. Abramowitz and I. A. Stegun, Handbook of
 * Mathematical Functions, 1964.
 */
export function normalUpperTail(z: number): number {
  if (z < 0) return 1 - normalUpperTail(-z)
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
  if (z < SERIES_BELOW) {
    let [term, sum] = [z, z]
    for (let n = 3; term > sum * Number.EPSILON; n += 2) {
      term *= (z * z) / n
      sum += term
    }
    return 0.5 - density * sum
  }
  let fraction = z
  for (let k = FRACTION_TERMS; k >= 1; k--) fraction = z + k / fraction
  return density / fraction
}

/** Verdict on a fall from one proportion to another; `few` where a sample is too small for any claim. */
export type FallVerdict =
  { readonly is: 'few' } | { readonly is: 'chance' | 'fall'; readonly z: number; /** one-sided */ readonly p: number }

/**
 * Judges whether `now` is lower than `before` beyond chance: a one-sided two-proportion z test with pooled variance, at
 * the level `threshold`. Makes no claim with fewer than `sampleMin` trials in one of them, or where the normal
 * approximation does not hold: fewer than 5 expected hits or misses (Fleiss, Levin and Paik, section 3.1).
 */
export function fallOf(now: Proportion, before: Proportion, threshold: number, sampleMin: number): FallVerdict {
  const z = twoProportionZ(before, now)
  if (z === null || areFew(now, before, sampleMin)) return { is: 'few' }
  const p = normalUpperTail(z)
  return { is: p <= threshold ? 'fall' : 'chance', z, p }
}
