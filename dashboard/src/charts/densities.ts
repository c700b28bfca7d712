/** A bucket of durations, with the number of observations of one group in it. */
interface Bucket {
  readonly from_ms: number
  readonly to_ms: number
  readonly count: number
}

/** A point of a density over the logarithm of the duration. */
export interface DensityPoint {
  readonly ms: number
  /** share of the observations per doubling of the duration */
  readonly share: number
}

/** Durations that an axis can have marks at, in ms. */
const MARKS_MS = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 7_200_000]

/**
 * Returns the density of durations over their logarithm, smoothed over three buckets, so that the area below it is the
 * same for groups of any size. It begins and ends at 0.
 */
export function densityOf(buckets: readonly Bucket[]): DensityPoint[] {
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  const [first, last] = [buckets[0], buckets.at(-1)]
  if (total === 0 || !first || !last) return []
  const shares = buckets.map(({ from_ms, to_ms, count }) => count / total / Math.max(widthOf(from_ms, to_ms), 1e-9))
  const at = (index: number): number => shares[index] ?? 0
  const points = buckets.map(({ from_ms, to_ms }, index) => ({
    ms: Math.sqrt(Math.max(1, from_ms) * Math.max(1, to_ms)),
    share: (at(index - 1) + 2 * at(index) + at(index + 1)) / 4,
  }))
  return [{ ms: Math.max(1, first.from_ms), share: 0 }, ...points, { ms: Math.max(1, last.to_ms), share: 0 }]
}

/** Returns the marks of a logarithmic axis from one duration to another. */
export function marksOfDurations(from_ms: number, to_ms: number): number[] {
  return MARKS_MS.filter((ms) => ms >= from_ms && ms <= to_ms)
}

/** Returns the width of a bucket in doublings. */
function widthOf(from: number, to: number): number {
  return Math.log2(Math.max(1, to) / Math.max(1, from))
}
