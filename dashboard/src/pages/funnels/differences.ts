import { type FunnelAnswer, type Value, compareProportions, SAMPLE_MIN, type Verdict } from '@hopper/contracts'

/** A value of a property, among those lost before a stage and those who continued to it. */
export interface Difference {
  readonly key: string
  readonly value: Value | null
  readonly lost: number
  readonly wentOn: number
  /** share of the value among those lost */
  readonly shareOfLost: number
  /** share of the value among those who continued */
  readonly shareOfOn: number
  readonly verdict: Verdict
}

/**
 * Compares those lost before a stage with those who continued, by the values of a property. Those still deciding are
 * neither. A value that fewer than 30 of both together have is left out. The largest difference comes first.
 */
export function differences(
  key: string,
  breakdown: NonNullable<FunnelAnswer['breakdown']>,
  stage: number,
): Difference[] {
  const rows = breakdown
    .filter(({ other }) => other !== true)
    .map(({ value, steps }) => {
      const step = steps[stage - 1]!
      return { value, lost: step.dropped - step.causes.open, wentOn: step.count }
    })
  const lost = rows.reduce((sum, row) => sum + row.lost, 0)
  const wentOn = rows.reduce((sum, row) => sum + row.wentOn, 0)
  if (lost === 0 || wentOn === 0) return []
  return rows
    .filter((row) => row.lost + row.wentOn >= SAMPLE_MIN)
    .map((row) => ({
      key,
      ...row,
      shareOfLost: row.lost / lost,
      shareOfOn: row.wentOn / wentOn,
      verdict: compareProportions({ hits: row.lost, n: lost }, { hits: row.wentOn, n: wentOn }),
    }))
}

/** Orders differences of several properties by their effect: real ones first, the largest first. */
export function byEffect(all: readonly Difference[]): Difference[] {
  const size = ({ verdict }: Difference): number => (verdict.is === 'few' ? 0 : Math.abs(verdict.z))
  return [...all].sort((a, b) => size(b) - size(a))
}
