import { bucketBounds } from '@hopper/contracts'

/** The number of clicks and leaves in one log-scaled bucket. */
export interface ActionBucket {
  readonly bucket: number
  readonly leave: number
  readonly click: number
}

/**
 * Computes the point-biserial correlation of ln(duration) with click = 1 and leave = 0. Only the bucket of a duration
 * is known, so each counts as the geometric middle of its bucket: the error of one duration is at most 9 %. Null if one
 * of the actions is missing or the durations have no spread.
 */
export function durationCorrelation(buckets: readonly ActionBucket[]): number | null {
  let leaves = 0
  let clicks = 0
  let sum = 0
  let clickSum = 0
  for (const { bucket, leave, click } of buckets) {
    const x = logMiddle(bucket)
    leaves += leave
    clicks += click
    sum += x * (leave + click)
    clickSum += x * click
  }
  const all = leaves + clicks
  if (leaves === 0 || clicks === 0) return null
  const mean = sum / all
  const squares = buckets.reduce(
    (total, { bucket, leave, click }) => total + (logMiddle(bucket) - mean) ** 2 * (leave + click),
    0,
  )
  if (squares === 0 || buckets.filter(({ leave, click }) => leave + click > 0).length < 2) return null
  const clickMean = clickSum / clicks
  const leaveMean = (sum - clickSum) / leaves
  const correlation = ((clickMean - leaveMean) / Math.sqrt(squares / all)) * Math.sqrt((leaves / all) * (clicks / all))
  return Math.min(1, Math.max(-1, correlation))
}

/** ln of the geometric middle of a bucket; the first begins at 0 ms and counts from 1 ms. */
function logMiddle(bucket: number): number {
  const { from_ms, to_ms } = bucketBounds(bucket)
  return (Math.log(Math.max(1, from_ms)) + Math.log(Math.max(1, to_ms))) / 2
}
