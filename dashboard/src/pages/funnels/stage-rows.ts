import { type DropCause, type FunnelStepAnswer, type Interval } from '@hopper/contracts'

export interface StageCause {
  readonly cause: DropCause
  readonly count: number
}

/** A stage as the page shows it: who reached it, and who of the stage before did not. */
export interface StageRow {
  /** from 1 */
  readonly stage: number
  readonly name: string
  readonly count: number
  /** of those who reached the first stage; null if nobody did */
  readonly rate: number | null
  /** of those who reached the stage before; null for the first stage and after an empty one */
  readonly rateFromBefore: number | null
  /** between reaching the stage before and this one */
  readonly medianMs: number | null
  /** number of people who reached the stage before */
  readonly before: number
  /** number of people who reached the stage before, and can no longer reach this one */
  readonly lost: number
  /** number of people who reached the stage before, and can still reach this one */
  readonly deciding: number
  /** the causes that happened, in the order of the legend; their sum is `lost` */
  readonly causes: readonly StageCause[]
  /** where the rate from before ends up: if nobody who is deciding comes, or all do */
  readonly finalRate: Interval | null
}

/** The order in which causes are shown: first those who never came, then those who came in another way. */
const causePlaces: Record<Exclude<DropCause, 'open'>, number> = {
  never: 0,
  before: 1,
  late: 2,
  excluded: 3,
  mismatch: 4,
}
const lostCauses = (Object.keys(causePlaces) as (keyof typeof causePlaces)[]).sort(
  (a, b) => causePlaces[a] - causePlaces[b],
)

/** Returns a row for each step of an answer; the first has no rate or time from a stage before. */
export function stageRows(steps: readonly FunnelStepAnswer[]): StageRow[] {
  return steps.map((step, index) => {
    const before = index === 0 ? step.count : steps[index - 1]!.count
    const deciding = step.causes.open
    return {
      stage: index + 1,
      name: step.name,
      count: step.count,
      rate: step.rate,
      rateFromBefore: index === 0 ? null : step.rate_from_previous,
      medianMs: index === 0 ? null : step.time.median_ms,
      before,
      lost: index === 0 ? 0 : step.dropped - deciding,
      deciding,
      causes: lostCauses.map((cause) => ({ cause, count: step.causes[cause] })).filter(({ count }) => count > 0),
      finalRate:
        index === 0 || before === 0 || deciding === 0
          ? null
          : { low: step.count / before, high: (step.count + deciding) / before },
    }
  })
}

/** Returns where the rate of the whole funnel ends up; null if it is final or nobody started. */
export function finalRateOf(rows: readonly StageRow[]): Interval | null {
  const [first, last] = [rows[0], rows.at(-1)]
  const deciding = rows.reduce((sum, row) => sum + row.deciding, 0)
  if (!first || !last || first.count === 0 || deciding === 0) return null
  return { low: last.count / first.count, high: (last.count + deciding) / first.count }
}

/** Returns the stage before which the largest share is finally lost; undefined if nobody is. */
export function worstStage(rows: readonly StageRow[]): StageRow | undefined {
  const share = (row: StageRow): number => (row.before === 0 ? 0 : row.lost / row.before)
  const worst = rows.slice(1).sort((a, b) => share(b) - share(a))[0]
  return worst && worst.lost > 0 ? worst : undefined
}
