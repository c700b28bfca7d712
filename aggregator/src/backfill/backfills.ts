import { setImmediate } from 'node:timers/promises'
import {
  backfillId,
  datesBetween,
  shiftDate,
  stageNumber,
  stagesDefinition,
  timeZone,
  uncounted,
  type App,
  type Funnel,
  type LaneBackfill,
} from '@hopper/contracts'
import type { Archive, EventLog, Lease, Registry, TableReader, TableWriter } from '@hopper/storage'
import type { TurnLane } from '../lane/lane-turns.ts'
import { LaneWork } from '../lane/lane-work.ts'
import { addLive, stagesOfDate } from './stages-of-date.ts'
import {
  correct,
  eventsOf,
  isEmpty,
  onlyAdding,
  timeCorrection,
  unaccounted,
  visitorCorrection,
} from './write-stages.ts'

/** How often new stages are looked for, and so much longer for each app. */
const LOOK_MS = 2_000
const LOOK_MS_PER_APP = 20
const SAVE_MS = 2_000

/** A lane whose past is counted. */
interface BackfilledLane extends TurnLane {
  /** every event before this position is in the tables and in the archive */
  readonly committed: number
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T>
  /** Archives what is held back; answers the position before which every event is in tables and archive. */
  archive(): Promise<number>
  /** Forgets which rows of visitors are written: some are not any more. */
  forgetVisitors(): void
}

export interface BackfillsOptions {
  readonly archive: Archive
  readonly reader: TableReader
  readonly writer: TableWriter
  readonly registry: Registry
  readonly log: EventLog
  readonly logger:
    { info(details: object, message: string): void; error(details: object, message: string): void } | undefined
  /** From here on whoever asks for an app gets it as it is in the registry now. */
  readonly forgetApps: () => void
  /** how often new stages are looked for; 2 s when missing */
  readonly lookMs?: number | undefined
}

/** A funnel in one lane. */
interface Place {
  readonly app: App
  readonly funnel: Funnel
  readonly lane: number
  readonly own: BackfilledLane
}

/**
 * Makes the tables of a funnel say what its stages mean now, in the background, as the owner of the lanes: whenever a
 * funnel has been made or changed, each date is recounted out of the archive and corrected. For each lane a stage has a
 * position, the end of the log once its batches are folded with the stage known. From there on, moves and times are
 * those that senders say; before it, those that the events mean, since nobody knew of the stage. The position is kept,
 * so that a rebuild comes to the same. How far a recount is stands in the registry, so whoever has the lane next goes
 * on; it may be done again at any time.
 */
export class Backfills {
  readonly #options: BackfillsOptions
  /** the stages with which a funnel needs nothing more in a lane, as long as it is ours; they may come back */
  readonly #settled = new Map<string, string>()
  readonly #work = new LaneWork()
  #lookAt = 0

  constructor(options: BackfillsOptions) {
    this.#options = options
  }

  /**
   * Looks for what is to be done, if it is time to, and does it. Calls at the same time share one run. Never rejects.
   */
  run(lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    return this.#work.run(() => this.#run(lanes))
  }

  /** Resolves when nothing of the lane is being written any more; to be called once the lane is not ours any more. */
  left(lane: number): Promise<void> {
    return this.#work.left(lane)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    if (performance.now() < this.#lookAt) return
    try {
      const { registry } = this.#options
      const apps = await registry.apps.list()
      this.#lookAt = performance.now() + (this.#options.lookMs ?? LOOK_MS) + apps.length * LOOK_MS_PER_APP
      for (const app of apps) {
        for (const funnel of await registry.funnels.list(app.id)) {
          for (const [lane, own] of lanes()) await this.#step({ app, funnel, lane, own }, lanes)
        }
      }
    } catch (error) {
      this.#options.logger?.error(
        { err: error },
        'funnels could not be looked at for stages whose past is to be counted',
      )
    }
  }

  async #step(place: Place, lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    const { app, funnel, lane, own } = place
    const isOurs = (): boolean => !this.#work.isClosed && lanes().get(lane) === own
    const name = JSON.stringify([lane, app.id, funnel.id])
    const definition = `${own.lasting().epoch} ${stagesDefinition(funnel.stages)}`
    if (!isOurs() || this.#settled.get(name) === definition) return
    const backfill = (): Promise<boolean> =>
      this.#backfill(place, isOurs).catch((error: unknown) => {
        const details = { lane, app: app.id, funnel: funnel.id, err: error }
        this.#options.logger?.error(details, 'the past of a funnel could not be counted and will be tried again')
        return false
      })
    if (await this.#work.step(lane, backfill)) this.#settled.set(name, definition)
  }

  /** Answers whether there is nothing more to do. */
  async #backfill(place: Place, isOurs: () => boolean): Promise<boolean> {
    const state = await this.#known(place)
    if (state.counted >= state.groups.length) return true
    const until = Math.max(...state.groups.map((group) => group.until))
    // A log that has lost its end never comes to that position.
    if (place.own.committed < until && place.own.committed < ((await this.#options.log.ends())[place.lane] ?? 0))
      return false
    return this.#recount(place, state, isOurs)
  }

  /**
   * What is known of the funnel in the lane. New stages get their position, after which batches are folded with them; a
   * group without stages stands for another change, before which batches were folded with what was there.
   */
  async #known({ app, funnel, lane }: Place): Promise<LaneBackfill> {
    const { registry, log, forgetApps } = this.#options
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
    forgetApps()
    const until = (await log.ends())[lane] ?? 0
    const groups = [...found.groups.filter((group) => group.stages.length > 0), { stages, until }]
    const state = { ...uncounted(found), groups, definition }
    await registry.backfills.put(app.id, backfillId(state), state)
    return state
  }

  /** Recounts every date; answers whether that came to its end. */
  async #recount(place: Place, before: LaneBackfill, isOurs: () => boolean): Promise<boolean> {
    const { app, funnel, lane } = place
    const dates = await this.#dates(place)
    const { last: begun, ...rest } = before
    const save = (state: LaneBackfill): Promise<void> =>
      this.#options.registry.backfills.put(app.id, backfillId(state), state)
    let savedAt = performance.now()
    for (const [at, date] of dates.entries()) {
      if (begun !== undefined && date >= begun) continue
      if (!isOurs() || !(await this.#recountDate(place, date, before.groups))) return false
      if (performance.now() < savedAt + SAVE_MS) continue
      await save({ ...before, last: date, done: at + 1, dates: dates.length })
      savedAt = performance.now()
    }
    this.#options.logger?.info(
      { lane, app: app.id, funnel: funnel.id, dates: dates.length },
      'the stages of a funnel are counted',
    )
    await save({ ...rest, counted: before.groups.length, done: 0, dates: 0 })
    return true
  }

  /** All dates of which the archive has events of the lane, the newest first. */
  async #dates({ app, lane }: Place): Promise<string[]> {
    const zone = timeZone(app.timezone)
    const chunks = await this.#options.archive.list({ app: app.id, lane, from: 0, to: Number.MAX_SAFE_INTEGER })
    const dates = new Set<string>()
    for (const { min_time, max_time } of chunks) {
      for (const date of datesBetween(zone.dateOf(min_time), zone.dateOf(max_time))) dates.add(date)
    }
    return [...dates].sort().reverse()
  }

  /**
   * Corrects a date. It is read while batches go on; only what came meanwhile is read while they wait. Answers false
   * when the tables are ahead of the lane, because a batch was written in part: it is delivered again, and this too.
   */
  async #recountDate(
    { app, funnel, lane, own }: Place,
    date: string,
    groups: LaneBackfill['groups'],
  ): Promise<boolean> {
    const { archive, reader, writer } = this.#options
    const tables = { reader, writer }
    const zone = timeZone(app.timezone)
    const range = { from: zone.startOf(date), to: zone.startOf(shiftDate(date, 1)) }
    const source = { archive, app, lane, date, range }
    const place = { app: app.id, date, lane, funnel: funnel.id }
    const from = own.committed
    const recounted = await stagesOfDate(source, { funnel, groups }, from)
    const { recount } = recounted
    const { missing, surplus } = await visitorCorrection(tables, place, recount)
    return own.exclusively(async (lease) => {
      // Whoever wrote the last batch says now how far the lane is.
      await setImmediate()
      const of = { app: app.id, date }
      const counted = await writer.applied(lane, [
        { table: 'activity_by_date', ...of },
        { table: 'stage_time_by_date', ...of },
      ])
      if (counted.some((applied) => applied >= from)) {
        const before = await own.archive()
        if (counted.some((applied) => applied >= before)) return false
        await addLive(recounted, source, funnel, { from, before })
      }
      const times = await timeCorrection(tables, place, recount)
      const found = { missing, surplus: unaccounted(surplus, recount), times }
      // An archive that was lost in part accounts for less than the tables have: they are all that is left of the rest.
      const isWhole = recounted.events === (await eventsOf(tables, place))
      const correction = isWhole ? found : onlyAdding(found)
      if (isEmpty(correction)) return true
      own.forgetVisitors()
      await correct(tables, lease, place, correction)
      return true
    })
  }
}
