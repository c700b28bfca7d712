import type { StageConversion } from '@hopper/contracts'

export interface FunnelStep {
  readonly stage: number
  readonly name: string
  readonly users: number
  /** share of all users of the range; null if there are none */
  readonly rate: number | null
  /** users of the previous stage minus users of this one; negative if more entered here */
  readonly dropped: number | null
  /** `dropped` as a share of the previous stage; null for the first stage and after an empty one */
  readonly dropRate: number | null
}

/** Computes the users and drop of each stage relative to the previous one. */
export function funnelSteps({ rows }: Pick<StageConversion, 'rows'>): FunnelStep[] {
  return rows.map((row, index) => {
    const before = rows[index - 1]
    const dropped = before === undefined ? null : before.users - row.users
    return {
      ...row,
      dropped,
      dropRate: before === undefined || before.users === 0 ? null : (before.users - row.users) / before.users,
    }
  })
}
