import { addPastOf, isMark, type CountedApp, type Recount } from '@hopper/aggregator'
import {
  backfillId,
  shiftDate,
  StageMatcher,
  stagesDefinition,
  timeZone,
  type App,
  type Funnel,
  type StageGroup,
} from '@hopper/contracts'
import { ForgottenEvents, type Registry } from '@hopper/storage'
import type { CountedPartition } from './compare.ts'
import type { LaneSource } from './lane-source.ts'

/**
 * Adds the stage definitions of an app's funnels and its forgotten data, so that events are folded as the aggregator
 * folds them now.
 */
export async function withStages(registry: Registry, app: App): Promise<CountedApp> {
  const forgotten = await ForgottenEvents.read(registry, app.id)
  return { ...app, stages: new StageMatcher(await registry.funnels.list(app.id), app), forgotten }
}

/** The funnels of an app with the groups of stages whose past is counted in a lane. */
interface CountedFunnel {
  readonly funnel: Funnel
  readonly groups: readonly StageGroup[]
}

/** The past of an app's funnels in one lane, as the tables of stages contain it. */
export class AuditedStages {
  readonly #source: LaneSource
  readonly #app: App
  readonly #funnels: readonly CountedFunnel[]
  /** true while the past of a funnel is being counted: the tables of stages cannot be compared then */
  readonly isMoving: boolean

  private constructor(source: LaneSource, app: App, funnels: readonly CountedFunnel[], isMoving: boolean) {
    this.#source = source
    this.#app = app
    this.#funnels = funnels
    this.isMoving = isMoving
  }

  static async of(source: LaneSource, app: App): Promise<AuditedStages> {
    const { registry } = source.storage
    const funnels = await registry.funnels.list(app.id)
    const found = await Promise.all(
      funnels.map(async (funnel) => {
        const state = await registry.backfills.get(app.id, backfillId({ funnel: funnel.id, lane: source.lane }))
        const { groups = [], counted = 0 } = state ?? {}
        const isChanged = state !== undefined && state.definition !== stagesDefinition(funnel.stages)
        return { funnel, groups: groups.slice(0, counted), isMoving: isChanged || counted < groups.length }
      }),
    )
    return new AuditedStages(
      source,
      app,
      found,
      found.some(({ isMoving }) => isMoving),
    )
  }

  /** Adds the events that the backfill has counted on a date. */
  async addPast(recount: Recount, date: string): Promise<void> {
    const { archive } = this.#source.storage
    if (!archive || this.isMoving) return
    const zone = timeZone(this.#app.timezone)
    const range = { from: zone.startOf(date), to: zone.startOf(shiftDate(date, 1)) }
    const { lane } = this.#source
    for (const funnel of this.#funnels) await addPastOf(recount, { archive, app: this.#app, lane, date, range }, funnel)
  }
}

/** Drops the rows that only mark the progress of the backfill. */
export function withoutMarks(found: CountedPartition): CountedPartition {
  if (found.partition.table !== 'stage_time_by_date') return found
  return { ...found, rows: found.rows.filter(({ key }) => !isMark(key)) }
}

/** Checks whether a table is about stages. */
export function isOfStages(table: string): boolean {
  return table.startsWith('stage_')
}
