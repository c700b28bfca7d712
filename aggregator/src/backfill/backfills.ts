import {
  backfillId,
  datesBetween,
  shiftDate,
  stageNumber,
  timeZone,
  type App,
  type Funnel,
  type LaneBackfill,
} from '@hopper/contracts'
import type { Archive, EventLog, Lease, Registry, TableReader, TableWriter } from '@hopper/storage'
import { pastOfDate } from './archived-date.ts'
import { pastFunnels, type PastFunnel } from './past-entries.ts'
import { writePast } from './write-past.ts'

/** How often new stages are looked for, and so much longer for each app. */
const LOOK_MS = 2_000
const LOOK_MS_PER_APP = 20
const SAVE_MS = 2_000

/** A lane that is ours. */
interface BackfilledLane {
  /** every event before this position is in the tables and in the archive */
  readonly committed: number
  lasting(): Lease
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T>
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
 * Counts the past of new stages into the tables, in the background, as the owner of the lanes. For each lane a stage
 * has a position, the end of the log once its
 * batches are folded with the stage known: what events from there on mean is counted live, what those before it mean
 * is counted here, out of the archive, date
 * by date. How far that is stands in the registry, so whoever has the lane next goes on; what a date adds to counters
 * is written once, see `writePast`.
 */
export class Backfills {
  readonly #options: BackfillsOptions
  /** funnels that need nothing more in a lane, as long as it is ours and they have these stages */
  readonly #settled = new Set<string>()
  readonly #steps = new Map<number, Promise<unknown>>()
  #lookAt = 0
  #running: Promise<void> | undefined
  #closed = false

  constructor(options: BackfillsOptions) {
    this.#options = options
  }

  /**
   * Looks for what is to be done, if it is time to, and does it. Calls at the same time share one run. Never rejects.
   */
  run(lanes: () => ReadonlyMap<number, BackfilledLane>): Promise<void> {
    this.#running ??= this.#run(lanes).finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Resolves when nothing of the lane is being written any more; to be called once the lane is not ours any more. */
  async left(lane: number): Promise<void> {
    await this.#steps.get(lane)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#running
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
    const isOurs = (): boolean => !this.#closed && lanes().get(lane) === own
    const name = JSON.stringify([lane, own.lasting().epoch, app.id, funnel.id, funnel.stages])
    if (!isOurs() || this.#settled.has(name)) return
    const stepping = this.#backfill(place, isOurs).catch((error: unknown) => {
      const details = { lane, app: app.id, funnel: funnel.id, err: error }
      this.#options.logger?.error(details, 'the past of a funnel could not be counted and will be tried again')
      return false
    })
    this.#steps.set(lane, stepping)
    if (await stepping) this.#settled.add(name)
    this.#steps.delete(lane)
  }

  /** Answers whether there is nothing more to do. */
  async #backfill(place: Place, isOurs: () => boolean): Promise<boolean> {
    let state = await this.#known(place)
    while (state.counted < state.groups.length) {
      if (place.own.committed < state.groups[state.counted]!.until) return false
      const after = await this.#countGroup(place, state, isOurs)
      if (!after) return false
      state = after
    }
    return true
  }

  /**
   * What is known of the funnel in the lane. New stages get their position, after which batches are folded with them.
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
    if (stages.length === 0) return found
    forgetApps()
    const until = (await log.ends())[lane] ?? 0
    const state = { ...found, groups: [...found.groups, { stages, until }] }
    await registry.backfills.put(app.id, backfillId(state), state)
    return state
  }

  /** Counts the next group; answers the state behind it, undefined when the lane was taken away. */
  async #countGroup(place: Place, before: LaneBackfill, isOurs: () => boolean): Promise<LaneBackfill | undefined> {
    const { app, funnel, lane } = place
    const dates = await this.#dates(place)
    const { last: begun, ...rest } = before
    const save = async (state: LaneBackfill): Promise<LaneBackfill> => {
      await this.#options.registry.backfills.put(app.id, backfillId(state), state)
      return state
    }
    const past = pastFunnels(funnel, before.groups)[before.counted]!
    let savedAt = performance.now()
    for (const [at, date] of dates.entries()) {
      if (begun !== undefined && date >= begun) continue
      if (!isOurs()) return undefined
      await this.#countDate(place, date, past)
      if (performance.now() < savedAt + SAVE_MS) continue
      await save({ ...before, last: date, done: at + 1, dates: dates.length })
      savedAt = performance.now()
    }
    const details = { lane, app: app.id, funnel: funnel.id, stages: [...past.counted], dates: dates.length }
    this.#options.logger?.info(details, 'the past of stages is counted')
    return save({ ...rest, counted: before.counted + 1, done: 0, dates: 0 })
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

  async #countDate({ app, funnel, lane, own }: Place, date: string, counted: PastFunnel): Promise<void> {
    const { archive, reader, writer } = this.#options
    const zone = timeZone(app.timezone)
    const range = { from: zone.startOf(date), to: zone.startOf(shiftDate(date, 1)) }
    const past = await pastOfDate({ archive, app, lane, date, range }, counted)
    if (past.visitors.length === 0) return
    const place = { app: app.id, date, funnel: funnel.id, stages: [...counted.counted] }
    await own.exclusively((lease) => writePast({ reader, writer }, lease, place, past))
  }
}
