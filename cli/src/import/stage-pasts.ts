import { isDeepStrictEqual } from 'node:util'
import {
  backfillId,
  isPastOf,
  resetBackfill,
  stageNumber,
  stagesDefinition,
  type Funnel,
  type KnownPositions,
  type LaneBackfill,
  type StageGroup,
} from '@hopper/contracts'
import type { Appended, Registry } from '@hopper/storage'

/** Place of a message in the dumped installation. */
export interface DumpedPlace {
  readonly lane: number
  readonly position: number
  readonly app: string
}

/** Positions of a lane at which the imported messages had been received with knowledge of a stage. */
interface KnownRanges {
  readonly ranges: KnownPositions[]
  /** true while every message of the app since the begin of the last range is known to the stage */
  isOpen: boolean
}

/**
 * Carries over at which message each stage of a funnel became known, so that an import counts its past for the same
 * events as the dumped installation did. Messages get new positions here, and those of several lanes may be mixed in
 * one, so the messages with knowledge of a stage are ranges of positions.
 */
export class StagePasts {
  readonly #lanes: number
  readonly #funnels = new Map<string, Map<string, FunnelPast>>()

  /** @param lanes number of lanes of the installation that imports */
  constructor(lanes: number) {
    this.#lanes = lanes
  }

  addFunnel(app: string, funnel: Funnel): void {
    let ofApp = this.#funnels.get(app)
    if (!ofApp) this.#funnels.set(app, (ofApp = new Map<string, FunnelPast>()))
    ofApp.set(funnel.id, new FunnelPast(funnel, this.#lanes))
  }

  /** Adds what a lane of the dumped installation knew of a funnel, which must have been added before. */
  addBackfill(app: string, backfill: LaneBackfill): void {
    this.#funnels.get(app)?.get(backfill.funnel)?.addLane(backfill)
  }

  /** Notes where a message was appended; the messages of a lane must come in the order of their new positions. */
  place({ lane, position, app }: DumpedPlace, at: Appended): void {
    for (const past of this.#funnels.get(app)?.values() ?? []) past.place({ lane, position }, at)
  }

  /**
   * Stores the funnels and what each lane knew of them. The funnels are stored last: an aggregator that finds a funnel
   * without these records takes all messages so far as its past.
   */
  async store(registry: Registry, ends: readonly number[]): Promise<void> {
    for (const [app, funnels] of this.#funnels) {
      for (const past of funnels.values()) await past.store(registry, app, ends)
    }
  }
}

class FunnelPast {
  readonly #funnel: Funnel
  readonly #lanes: number
  /** by lane of the dumped installation */
  readonly #dumped = new Map<number, LaneBackfill>()
  /** by stage number, in the order in which the stages became known; the ranges are by lane of this installation */
  readonly #stages = new Map<number, Map<number, KnownRanges>>()

  constructor(funnel: Funnel, lanes: number) {
    this.#funnel = funnel
    this.#lanes = lanes
  }

  addLane(backfill: LaneBackfill): void {
    this.#dumped.set(backfill.lane, backfill)
    const own = new Set(this.#funnel.stages.map(stageNumber))
    for (const stage of backfill.groups.flatMap(({ stages }) => stages)) {
      if (own.has(stage) && !this.#stages.has(stage)) this.#stages.set(stage, new Map())
    }
  }

  place({ lane, position }: Omit<DumpedPlace, 'app'>, at: Appended): void {
    const groups = this.#dumped.get(lane)?.groups ?? []
    for (const [stage, lanes] of this.#stages) {
      let known = lanes.get(at.lane)
      if (!known) lanes.set(at.lane, (known = { ranges: [], isOpen: false }))
      const group = groups.find(({ stages }) => stages.includes(stage))
      const isKnown = group !== undefined && !isPastOf(group, position)
      if (isKnown) {
        const next = at.position + 1
        if (known.isOpen) known.ranges.push({ ...known.ranges.pop()!, next })
        else known.ranges.push({ first: at.position, next })
      }
      known.isOpen = isKnown
    }
  }

  async store(registry: Registry, app: string, ends: readonly number[]): Promise<void> {
    for (let lane = 0; lane < this.#lanes; lane++) await this.#storeLane(registry, app, lane, ends[lane] ?? 0)
    await registry.funnels.put(app, this.#funnel.id, this.#funnel)
  }

  /** Stages that the lane knows already stay as they are. */
  async #storeLane({ backfills }: Registry, app: string, lane: number, end: number): Promise<void> {
    const id = backfillId({ funnel: this.#funnel.id, lane })
    const found = await backfills.get(app, id)
    const known = new Set(found?.groups.flatMap(({ stages }) => stages))
    const groups = this.#groupsOf(lane, end, known)
    if (groups.length === 0) return
    const empty = { funnel: this.#funnel.id, lane, lanes: this.#lanes, groups: [], counted: 0, done: 0, dates: 0 }
    const { definition: _, ...before } = found ? resetBackfill(found) : (empty as LaneBackfill)
    // A lane that has not met the last change of the funnel leaves it to the aggregator.
    const definition = stagesDefinition(this.#funnel.stages)
    const isCurrent = [...this.#dumped.values()].every((each) => each.definition === definition)
    await backfills.put(app, id, {
      ...before,
      groups: [...before.groups, ...groups],
      ...(isCurrent ? { definition } : {}),
    })
  }

  #groupsOf(lane: number, end: number, without: ReadonlySet<number>): StageGroup[] {
    const groups: StageGroup[] = []
    for (const [stage, lanes] of this.#stages) {
      if (without.has(stage)) continue
      const { ranges = [], isOpen = false } = lanes.get(lane) ?? {}
      // messages that are known up to the end of the lane need no range
      const until = isOpen ? ranges.at(-1)!.first : end
      const before = isOpen ? ranges.slice(0, -1) : ranges
      const past = { until, ...(before.length > 0 ? { known: before } : {}) }
      // Each group reads the archive: stages that became known together share one.
      const { stages = [], ...last } = groups.at(-1) ?? {}
      if (isDeepStrictEqual(last, past)) groups.splice(-1, 1, { stages: [...stages, stage], ...past })
      else groups.push({ stages: [stage], ...past })
    }
    return groups
  }
}
