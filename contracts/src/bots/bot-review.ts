import { botDefinition, type RuledApp } from './bot-rules.ts'

/**
 * Progress of a lane in reviewing which sessions of an app are bots: the verdicts in its archive, and the tables that
 * follow from them. The owner of the lane stores it in the registry.
 */
export interface BotReview {
  readonly app: string
  readonly lane: number
  /** number of lanes of the installation */
  readonly lanes: number
  /** the rules of the verdicts, see `botDefinition` */
  readonly definition: string
  /** position of the lane from which on batches are judged by these rules */
  readonly until: number
  /** position before which every event has its verdict, considering all events before this position */
  readonly reviewed: number
  /** set while the whole archive is reviewed: because the rules have changed, or nothing was reviewed before */
  readonly whole?: {
    /** position from which on events may have been counted by the earlier rules or by these */
    readonly since: number
    /** position up to which the archive is reviewed */
    readonly to?: number
    /** the oldest date that is reviewed; dates are reviewed from the newest to the oldest */
    readonly last?: string
    /** number of dates that are reviewed, and of all dates */
    readonly done: number
    readonly dates: number
  }
  /** number of times that verdicts were changed */
  readonly changes: number
  /** dates whose verdicts have changed, or are about to, and whose tables are still to be recounted */
  readonly dates: readonly string[]
  /** the same for the UTC dates of receipt */
  readonly received: readonly string[]
  /** why the lane cannot continue now */
  readonly problem?: string
}

/** Progress of applying the present rules to the past of an app, over all lanes. */
export interface BotReviewProgress {
  readonly state: 'waiting' | 'running' | 'done'
  /** from 0 to 1 */
  readonly share: number
  /** why a lane cannot continue now */
  readonly problem?: string
}

/** Returns the registry id of the review of an app in a lane. */
export function botReviewId({ app, lane }: Pick<BotReview, 'app' | 'lane'>): string {
  return `${app} ${lane}`
}

/** Returns whether a lane is changing verdicts: its tables and its archive differ then. */
export function isChangingVerdicts({ dates, received }: Pick<BotReview, 'dates' | 'received'>): boolean {
  return dates.length > 0 || received.length > 0
}

/** Computes the progress of an app from that of its lanes. */
export function botReviewProgress(app: RuledApp, lanes: readonly BotReview[]): BotReviewProgress {
  const definition = botDefinition(app)
  const shares = lanes
    .filter((lane) => lane.definition === definition)
    .map(({ whole }) => (!whole ? 1 : whole.dates === 0 ? 0 : whole.done / whole.dates))
  const problem = lanes.find((lane) => lane.problem !== undefined)?.problem
  const known = problem === undefined ? {} : { problem }
  if (shares.length === 0) return { state: 'waiting', share: 0, ...known }
  const share = shares.reduce((sum, each) => sum + each, 0) / lanes[0]!.lanes
  return { state: share === 1 ? 'done' : 'running', share, ...known }
}
