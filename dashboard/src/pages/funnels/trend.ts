import { type FunnelAnswer, wilsonInterval } from '@hopper/contracts'

export interface TrendPoint {
  readonly time: number
  readonly total: number
  readonly reached: number
  /** null on a day on which nobody started */
  readonly rate: number | null
  readonly interval: { readonly low: number; readonly high: number } | null
}

/** Returns the points of a trend, and the index of the first of the last points that can still change. */
export function trendPoints(trend: NonNullable<FunnelAnswer['trend']>): { points: TrendPoint[]; openFrom: number } {
  const points = trend.map(({ time, total, steps }) => {
    const reached = steps.at(-1)?.count ?? 0
    return {
      time,
      total,
      reached,
      rate: total === 0 ? null : reached / total,
      interval: total === 0 ? null : wilsonInterval({ hits: reached, n: total }),
    }
  })
  return { points, openFrom: trend.findLastIndex(({ settled }) => settled) + 1 }
}
