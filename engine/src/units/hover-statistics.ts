import { bucketBounds, type Hesitation } from '@hopper/contracts'

/** Hovers by the action that ended them. */
export interface ActionCounts {
  leave: number
  click: number
}

/**
 * Computes the point-biserial correlation of x with click = 1 and leave = 0. Null if one of the actions is missing or
 * the hovers have no spread.
 */
export function actionCorrelation(points: readonly (ActionCounts & { readonly x: number })[]): number | null {
  const seen = points.filter(({ leave, click }) => leave + click > 0)
  let [leaves, clicks, leaveSum, clickSum] = [0, 0, 0, 0]
  for (const { x, leave, click } of seen) {
    leaves += leave
    clicks += click
    leaveSum += x * leave
    clickSum += x * click
  }
  if (leaves === 0 || clicks === 0 || seen.every(({ x }) => x === seen[0]!.x)) return null
  const all = leaves + clicks
  const mean = (leaveSum + clickSum) / all
  const squares = seen.reduce((sum, { x, leave, click }) => sum + (x - mean) ** 2 * (leave + click), 0)
  const difference = clickSum / clicks - leaveSum / leaves
  const correlation = (difference / Math.sqrt(squares / all)) * Math.sqrt((leaves / all) * (clicks / all))
  return Math.min(1, Math.max(-1, correlation))
}

/** Lists every bucket from the first to the last one, so that a chart has no gaps; see `durationBucket`. */
export function actionHistogram(buckets: ReadonlyMap<number, ActionCounts>): Hesitation['histogram'] {
  if (buckets.size === 0) return []
  const first = Math.min(...buckets.keys())
  const length = Math.max(...buckets.keys()) - first + 1
  return (
    Array.from({ length }, (_, index) => first + index)
      .map((bucket) => ({ ...bucketBounds(bucket), ...(buckets.get(bucket) ?? { leave: 0, click: 0 }) }))
      // the shortest buckets contain no whole millisecond
      .filter(({ from_ms, to_ms }) => from_ms < to_ms)
  )
}
