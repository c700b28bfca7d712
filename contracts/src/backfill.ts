import { stageNumber, type Funnel, type Stage } from './app.ts'

/** Stages that became known at one moment. */
export interface StageGroup {
  /** by their numbers */
  readonly stages: readonly number[]
  /** the position of a lane before which events came when nobody knew of the stages; the backfill counts them */
  readonly until: number
}

/**
 * How far the tables of a funnel are counted for the past in one lane. It is kept in the registry, by the owner of the
 * lane.
 */
export interface LaneBackfill {
  readonly funnel: string
  readonly lane: number
  /** of the installation */
  readonly lanes: number
  /** in the order in which they became known */
  readonly groups: readonly StageGroup[]
  /** how many groups are counted */
  readonly counted: number
  /** the date that was counted last of the group after these; dates go from the newest to the oldest */
  readonly last?: string
  /** dates of that group that are counted, and all dates */
  readonly done: number
  readonly dates: number
}

/** How far the tables of a funnel are counted for the past. */
export interface BackfillProgress {
  readonly state: 'waiting' | 'running' | 'done'
  /** from 0 to 1 */
  readonly share: number
}

/** A funnel as the API lists it. */
export interface ListedFunnel extends Funnel {
  readonly past: BackfillProgress
}

/** The name of a lane's part in the registry. */
export function backfillId({ funnel, lane }: Pick<LaneBackfill, 'funnel' | 'lane'>): string {
  return `${funnel} ${lane}`
}

/** How far a funnel with these stages is, out of what its lanes say. */
export function backfillProgress(
  stages: readonly Pick<Stage, 'id' | 'number'>[],
  lanes: readonly LaneBackfill[],
): BackfillProgress {
  const isKnown = ({ groups }: LaneBackfill): boolean =>
    stages.every((stage) => groups.some((group) => group.stages.includes(stageNumber(stage))))
  const shares = lanes
    .filter(isKnown)
    .map(({ groups, counted, done, dates }) => (counted === groups.length ? 1 : dates === 0 ? 0 : done / dates))
  if (shares.length === 0) return { state: 'waiting', share: 0 }
  const share = shares.reduce((sum, each) => sum + each, 0) / lanes[0]!.lanes
  return { state: share === 1 ? 'done' : 'running', share }
}
