/** Buckets per doubling of the duration: adjacent buckets differ by a factor of 2^(1/4), about 19 %. */
const BUCKETS_PER_OCTAVE = 4

/** Returns the log-scaled bucket of a duration in ms; 0 and 1 ms share bucket 0. */
export function durationBucket(ms: number): number {
  if (ms <= 1) return 0
  let bucket = Math.floor(Math.log2(ms) * BUCKETS_PER_OCTAVE)
  // log2 is rounded, so the exact bucket edges decide
  while (lowerBoundMs(bucket + 1) <= ms) bucket++
  while (lowerBoundMs(bucket) > ms) bucket--
  return bucket
}

/** Returns the bounds of a bucket in whole ms: `from_ms` inclusive, `to_ms` exclusive. */
export function bucketBounds(bucket: number): { from_ms: number; to_ms: number } {
  return { from_ms: bucket === 0 ? 0 : lowerBoundMs(bucket), to_ms: lowerBoundMs(bucket + 1) }
}

function lowerBoundMs(bucket: number): number {
  return Math.ceil(2 ** (bucket / BUCKETS_PER_OCTAVE))
}
