import { stageNumber, type Funnel, type Stage } from '../app.ts'

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
  /** in the order in which they became known; the last may have no stages, and stands for another change then */
  readonly groups: readonly StageGroup[]
  /** the stages that were or are being counted, see `stagesDefinition` */
  readonly definition?: string
  /** how many groups are counted: all of them, or it is being done */
  readonly counted: number
  /** the date that was counted last; dates go from the newest to the oldest */
  readonly last?: string
  /** dates that are counted, and all dates */
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

/** Names what stages mean: which there are, in which order, and by what each is entered. */
export function stagesDefinition(stages: readonly Pick<Stage, 'id' | 'number' | 'url' | 'click'>[]): string {
  return JSON.stringify(stages.map((stage) => [stageNumber(stage), stage.url ?? null, stage.click ?? null]))
}

/** Forgets what is counted of a funnel in a lane; its stages keep the positions at which they became known. */
export function uncounted({ last: _, ...rest }: LaneBackfill): LaneBackfill {
  return { ...rest, counted: 0, done: 0, dates: 0 }
}

/** How far a funnel with these stages is, out of what its lanes say. */
export function backfillProgress(
  stages: readonly Pick<Stage, 'id' | 'number' | 'url' | 'click'>[],
  lanes: readonly LaneBackfill[],
): BackfillProgress {
  const wanted = stagesDefinition(stages)
  const isKnown = ({ groups, definition }: LaneBackfill): boolean =>
    definition === wanted && stages.every((stage) => groups.some((group) => group.stages.includes(stageNumber(stage))))
  const shares = lanes
    .filter(isKnown)
    .map(({ groups, counted, done, dates }) => (counted === groups.length ? 1 : dates === 0 ? 0 : done / dates))
  if (shares.length === 0) return { state: 'waiting', share: 0 }
  const share = shares.reduce((sum, each) => sum + each, 0) / lanes[0]!.lanes
  return { state: share === 1 ? 'done' : 'running', share }
}
