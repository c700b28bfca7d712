import { stageNumber, type Funnel, type Stage } from '../app.ts'

/** Positions of a lane from `first` up to, but not including, `next`. */
export interface KnownPositions {
  readonly first: number
  readonly next: number
}

/** Stages that became known at the same time. */
export interface StageGroup {
  /** stage numbers */
  readonly stages: readonly number[]
  /** position of the lane at which the stages became known; the backfill counts the events before it */
  readonly until: number
  /** positions before `until` of imported messages that had been received with knowledge of the stages, in order */
  readonly known?: readonly KnownPositions[]
}

/**
 * Progress of the backfill of a funnel in one lane. The owner of the lane stores it in the registry.
 */
export interface LaneBackfill {
  readonly funnel: string
  readonly lane: number
  /** number of lanes of the installation */
  readonly lanes: number
  /** in the order in which they became known; a last group without stages represents another kind of change */
  readonly groups: readonly StageGroup[]
  /** the stages that were or are being backfilled, see `stagesDefinition` */
  readonly definition?: string
  /** number of groups that are counted; less than all of them while the backfill runs */
  readonly counted: number
  /** the date counted most recently; dates are counted from the newest to the oldest */
  readonly last?: string
  /** number of dates that are counted, and of all dates */
  readonly done: number
  readonly dates: number
}

/** Progress of the backfill of a funnel over all lanes. */
export interface BackfillProgress {
  readonly state: 'waiting' | 'running' | 'done'
  /** from 0 to 1 */
  readonly share: number
}

/** A funnel as listed by the API. */
export interface ListedFunnel extends Funnel {
  readonly past: BackfillProgress
}

/** Returns whether the message at a position was received without knowledge of the stages of a group. */
export function isPastOf({ until, known = [] }: Omit<StageGroup, 'stages'>, position: number): boolean {
  return position < until && !known.some(({ first, next }) => position >= first && position < next)
}

/** Returns the registry id of the backfill of a funnel in a lane. */
export function backfillId({ funnel, lane }: Pick<LaneBackfill, 'funnel' | 'lane'>): string {
  return `${funnel} ${lane}`
}

/** Serializes the meaning of stages: their numbers, their order and the condition of each. */
export function stagesDefinition(stages: readonly Pick<Stage, 'id' | 'number' | 'url' | 'click'>[]): string {
  return JSON.stringify(stages.map((stage) => [stageNumber(stage), stage.url ?? null, stage.click ?? null]))
}

/** Resets the backfill of a funnel in a lane; its stages keep the positions at which they became known. */
export function resetBackfill({ last: _, ...rest }: LaneBackfill): LaneBackfill {
  return { ...rest, counted: 0, done: 0, dates: 0 }
}

/** Computes the backfill progress of a funnel with these stages from the progress of its lanes. */
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
