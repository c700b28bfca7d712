import { bucketBounds } from '@hopper/contracts'
import { actionCorrelation, type ActionCounts } from '@hopper/engine'

/** Hovers whose durations are in one log-scaled bucket. */
export interface ActionBucket extends ActionCounts {
  readonly bucket: number
}

/**
 * Computes the point-biserial correlation of ln(duration) with click = 1 and leave = 0. Only the bucket of a duration
 * is known, so each counts as the geometric middle of its bucket: the error of one duration is at most 9 %. Null if one
 * of the actions is missing or the durations have no spread.
 */
export function durationCorrelation(buckets: readonly ActionBucket[]): number | null {
  return actionCorrelation(buckets.map(({ bucket, ...counts }) => ({ x: logMiddle(bucket), ...counts })))
}

/** ln of the geometric middle of a bucket; the first begins at 0 ms and counts from 1 ms. */
function logMiddle(bucket: number): number {
  const { from_ms, to_ms } = bucketBounds(bucket)
  return (Math.log(Math.max(1, from_ms)) + Math.log(Math.max(1, to_ms))) / 2
}
