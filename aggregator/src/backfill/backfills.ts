import { setImmediate } from 'node:timers/promises'
import {
  backfillId,
  datesBetween,
  shiftDate,
  stageNumber,
  stagesDefinition,
  timeZone,
  resetBackfill,
  type App,
  type Funnel,
  type LaneBackfill,
} from '@hopper/contracts'
import type { Lease } from '@hopper/storage'
import type { BackgroundOptions } from '../lane/background-options.ts'
import type { TurnLane } from '../lane/lane-turns.ts'
import { LaneWork } from '../lane/lane-work.ts'
import { addLive, stagesOfDate } from './stages-of-date.ts'
import {
  applyCorrection,
  countedEvents,
  isEmpty,
  withoutRemovals,
  timeCorrection,
  surplusRows,
  visitorCorrection,
} from './write-stages.ts'

/** Interval between two checks for new stages, and the additional time per app. */
const CHECK_MS = 2_000
const CHECK_MS_PER_APP = 20
const SAVE_MS = 2_000

/** Owned lane whose past is counted. */
interface BackfilledLane extends TurnLane {
  /** every event before this position is in the tables and in the archive */
  readonly committed: number
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T>
  /** Archives buffered events; returns how far every event is in the tables and in the archive. */
  archive(): Promise<{ readonly position: number }>
  /** Drops the cache of written visitor rows: some of them are removed. */
  clearVisitorCache(): void
}

export interface BackfillsOptions extends BackgroundOptions {
  /** interval between two checks for new stages, in ms (plus 20 ms per app); 2 s by default */
  readonly checkMs?: number | undefined
}

/** Funnel in one lane. */
interface BackfillTask {
  readonly app: App
  readonly funnel: Funnel
  readonly lane: number
  readonly owned: BackfilledLane
}

/** The stages of a funnel in a lane, and in which epoch of the lane. */
interface NamedDefinition {
  readonly name: string
  readonly definition: string
}

/**
 * Keeps the tables of a funnel in line with the present meaning of its stages, in the background, as the owner of the
 * lanes: whenever a funnel is created or changed, each date is recounted from the archive and corrected.
 *
 * Each stage has a position per lane: the end of the log from which on batches are folded with the stage known. From
 * that position on, moves and times are those that senders report. Before it, they are derived from the events, since
 * nobody knew of the stage. The position is stored, so that a rebuild arrives at the same result. The progress of a
 * recount is stored in the registry, so the next owner of the lane continues it. A recount is idempotent.
 */
export class Backfills {
  readonly #options: BackfillsOptions
  /**
   * by funnel and lane: the definition of the stages whose past is completely counted. Kept while we own the lane,
   * since an older definition may return
   */
  readonly #settled = new Map<string, string>()
  /** of funnels that are not complete in a lane: from where on batches are folded with this definition */
  readonly #foldedFrom = new Map<string, { readonly definition: string; readonly position: number }>()
  readonly #work = new LaneWork()
  #nextCheckAt = 0

  constructor(options: BackfillsOptions) {
    this.#options = options
  }

  /** Checks for work when a check is due, and does it. Concurrent calls share one run. Never rejects. */
  run(lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    return this.#work.run(() => this.#run(lanes))
  }

  /** Resolves when no write to the lane is in flight; call it after the lane was given away. */
  whenIdle(lane: number): Promise<void> {
    return this.#work.whenIdle(lane)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    if (performance.now() < this.#nextCheckAt) return
    try {
      const { registry } = this.#options
      const apps = await registry.apps.list()
      this.#nextCheckAt = performance.now() + (this.#options.checkMs ?? CHECK_MS) + apps.length * CHECK_MS_PER_APP
      for (const app of apps) {
        for (const funnel of await registry.funnels.list(app.id)) {
          for (const [lane, owned] of lanes()) await this.#step({ app, funnel, lane, owned }, lanes)
        }
      }
    } catch (error) {
      this.#options.logger?.error(
        { err: error },
        'funnels could not be checked for new stages whose past must be counted',
      )
    }
  }

  async #step(task: BackfillTask, lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    const { app, funnel, lane, owned } = task
    const isOurs = (): boolean => !this.#work.isClosed && lanes().get(lane) === owned
    const name = JSON.stringify([lane, app.id, funnel.id])
    const definition = `${owned.currentLease().epoch} ${stagesDefinition(funnel.stages)}`
    if (!isOurs() || this.#settled.get(name) === definition) return
    const backfill = (): Promise<boolean> =>
      this.#backfill(task, { name, definition }, isOurs).catch((error: unknown) => {
        const details = { lane, app: app.id, funnel: funnel.id, err: error }
        this.#options.logger?.error(details, 'the past of a funnel could not be counted and will be tried again')
        return false
      })
    if (!(await this.#work.step(lane, backfill))) return
    this.#settled.set(name, definition)
    this.#foldedFrom.delete(name)
  }

  /** Returns true when there is nothing left to do. */
  async #backfill(task: BackfillTask, stages: NamedDefinition, isOurs: () => boolean): Promise<boolean> {
    const state = await this.#known(task)
    if (state.counted >= state.groups.length) return true
    const until = Math.max(await this.#foldedWith(task, stages), ...state.groups.map((group) => group.until))
    // Waits no further than to the end of the log: if the log has lost its end, it never reaches `until`.
    if (task.owned.committed < until && task.owned.committed < ((await this.#options.log.ends())[task.lane] ?? 0))
      return false
    return this.#recount(task, state, isOurs)
  }

  /**
   * Reads the state of the funnel in the lane. New stages get their position; batches after it are folded with them. A
   * group without stages marks another change of the funnel; batches before it were folded with the previous stages.
   */
  async #known({ app, funnel, lane }: BackfillTask): Promise<LaneBackfill> {
    const { registry, log, clearAppCache } = this.#options
    const nothing: LaneBackfill = {
      funnel: funnel.id,
      lane,
      lanes: log.lanes,
      groups: [],
      counted: 0,
      done: 0,
      dates: 0,
    }
    const found = (await registry.backfills.get(app.id, backfillId({ funnel: funnel.id, lane }))) ?? nothing
    const known = new Set(found.groups.flatMap(({ stages }) => stages))
    const stages = funnel.stages.map(stageNumber).filter((number) => !known.has(number))
    const definition = stagesDefinition(funnel.stages)
    if (stages.length === 0 && found.definition === definition) return found
    clearAppCache()
    const until = (await log.ends())[lane] ?? 0
    const groups = [...found.groups.filter((group) => group.stages.length > 0), { stages, until }]
    const state = { ...resetBackfill(found), groups, definition }
    await registry.backfills.put(app.id, backfillId(state), state)
    return state
  }

  /**
   * Returns the position of the lane from which on batches are folded with the present stages. Another process, such as
   * an import, may have stored them with an earlier `until`: batches between the two may have been folded without them,
   * so the recount must not begin before those are counted.
   */
  async #foldedWith({ lane }: BackfillTask, { name, definition }: NamedDefinition): Promise<number> {
    const found = this.#foldedFrom.get(name)
    if (found?.definition === definition) return found.position
    const { log, clearAppCache } = this.#options
    clearAppCache()
    const position = (await log.ends())[lane] ?? 0
    this.#foldedFrom.set(name, { definition, position })
    return position
  }

  /** Recounts every date; returns whether it reached the last one. */
  async #recount(task: BackfillTask, before: LaneBackfill, isOurs: () => boolean): Promise<boolean> {
    const { app, funnel, lane } = task
    const dates = await this.#dates(task)
    const { last: begun, ...rest } = before
    const save = (state: LaneBackfill): Promise<void> =>
      this.#options.registry.backfills.put(app.id, backfillId(state), state)
    let savedAt = performance.now()
    for (const [index, date] of dates.entries()) {
      if (begun !== undefined && date >= begun) continue
      if (await this.#isExpired(app.id, date)) continue
      if (!isOurs() || !(await this.#recountDate(task, date, before.groups))) return false
      if (performance.now() < savedAt + SAVE_MS) continue
      await save({ ...before, last: date, done: index + 1, dates: dates.length })
      savedAt = performance.now()
    }
    this.#options.logger?.info(
      { lane, app: app.id, funnel: funnel.id, dates: dates.length },
      'the stages of a funnel are counted',
    )
    await save({ ...rest, counted: before.groups.length, done: 0, dates: 0 })
    return true
  }

  /** Events that expire while a date is recounted must not be counted again. */
  async #isExpired(app: string, date: string): Promise<boolean> {
    return date < ((await this.#options.registry.app(app))?.kept_from ?? '')
  }

  /** All dates with archived events of the lane, newest first. */
  async #dates({ app, lane }: BackfillTask): Promise<string[]> {
    const zone = timeZone(app.timezone)
    const chunks = await this.#options.archive.list({ app: app.id, lane, from: 0, to: Number.MAX_SAFE_INTEGER })
    const dates = new Set<string>()
    for (const { min_time, max_time } of chunks) {
      for (const date of datesBetween(zone.dateOf(min_time), zone.dateOf(max_time))) dates.add(date)
    }
    return [...dates].sort().reverse()
  }

  /**
   * Corrects a date. The archive is read while batches continue; only the events that arrived meanwhile are read while
   * batches wait. Returns false when the tables are ahead of the lane because a batch was written in part: the batch is
   * delivered again, and the date is retried.
   */
  async #recountDate(
    { app, funnel, lane, owned }: BackfillTask,
    date: string,
    groups: LaneBackfill['groups'],
  ): Promise<boolean> {
    const { archive, reader, writer } = this.#options
    const tables = { reader, writer }
    const zone = timeZone(app.timezone)
    const range = { from: zone.startOf(date), to: zone.startOf(shiftDate(date, 1)) }
    const source = { archive, app, lane, date, range }
    const partition = { app: app.id, date, lane, funnel: funnel.id }
    const from = owned.committed
    const recounted = await stagesOfDate(source, { funnel, groups }, from)
    const { recount } = recounted
    const { missing, surplus } = await visitorCorrection(tables, partition, recount)
    return owned.exclusively(async (lease) => {
      // Lets the writer of the last batch update the position of the lane first.
      await setImmediate()
      const counted = await writer.applied(lane, [
        { table: 'activity_by_date', app: app.id, date },
        { table: 'stage_time_by_date', app: app.id, date },
      ])
      if (counted.some((applied) => applied >= from)) {
        const { position: before } = await owned.archive()
        if (counted.some((applied) => applied >= before)) return false
        await addLive(recounted, source, funnel, { from, before })
      }
      const times = await timeCorrection(tables, partition, recount)
      const found = { missing, surplus: surplusRows(surplus, recount), times }
      // If a part of the archive is lost, the tables contain more than it does, and are the only record of the rest:
      // nothing is removed from them.
      const isWhole = recounted.events === (await countedEvents(tables, partition))
      const correction = isWhole ? found : withoutRemovals(found)
      if (isEmpty(correction) || (await this.#isExpired(app.id, date))) return true
      owned.clearVisitorCache()
      await applyCorrection(tables, lease, partition, correction)
      return true
    })
  }
}
