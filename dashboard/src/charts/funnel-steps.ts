import type { StageConversion } from '@hopper/contracts'

export interface FunnelStep {
  readonly stage: number
  readonly name: string
  readonly users: number
  /** share of all users of the range; null when there are none */
  readonly rate: number | null
  /** how many fewer users than the stage before had; negative when more entered here */
  readonly dropped: number | null
  /** `dropped` as a share of the stage before; null for the first stage and after an empty one */
  readonly dropRate: number | null
}

/** The stages with what got lost on the way from the one before. */
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
