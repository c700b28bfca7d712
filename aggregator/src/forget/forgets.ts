import {
  emptyTally,
  forgetPartId,
  forgetSteps,
  timeZone,
  type App,
  type Forget,
  type ForgetPart,
  type ForgetStep,
} from '@hopper/contracts'
import { ForgottenEvents, type Lanes, type Scrubbed } from '@hopper/storage'
import type { BackgroundOptions } from '../lane/background-options.ts'
import { LaneWork } from '../lane/lane-work.ts'
import type { SeenFilters } from '../seen/seen-filters.ts'
import { forgetSets } from './forget-sets.ts'
import { subtractUsage } from './forgotten-usage.ts'
import { forgottenEvents, ForgottenRows } from './forgotten-rows.ts'
import { planForget } from './forget-plan.ts'
import type { ForgetTask, SavePart } from './forget-task.ts'
import type { CountedApp } from '../judge/judge.ts'
import { Postponed, withoutProblem } from '../lane/postponed.ts'
import { LaneLost, type RewritableLane } from '../lane/rewritable-lane.ts'
import { assertWholeDate, recountForgotten } from './recount-date.ts'
import { recountFates } from './recount-fates.ts'
import { countLog, rewriteLog } from './rewrite-log.ts'
import { rewriteSpans } from './rewrite-spans.ts'

/** Interval between two checks for requests, and the additional time for each request there ever was. */
const CHECK_MS = 2_000
const CHECK_MS_PER_FORGET = 2

export interface ForgetsOptions extends BackgroundOptions {
  readonly lanes: Lanes
  /** filters of the ids that `writer` contains */
  readonly seen: SeenFilters
  /** returns the app with which batches of a lane are folded */
  readonly appOf: (id: string, lane: number) => Promise<CountedApp | undefined>
  /** removes from the disk what was deleted, see `Storage.scrub` */
  readonly scrub: (() => Promise<Scrubbed>) | undefined
  /** interval between two checks for requests, in ms; 2 s by default */
  readonly checkMs?: number | undefined
}

/** Runs the next step of a part of a request; returns the part with that step done. */
type Step = (task: ForgetTask, part: ForgetPart, save: SavePart) => Promise<ForgetPart>

/**
 * Forgets persons, in the background, as the owner of lanes. Each lane does its part in steps and stores each in the
 * registry, so the next owner continues; a step may be interrupted anywhere and is then done again (decision 0035).
 */
export class Forgets {
  readonly #options: ForgetsOptions
  readonly #work = new LaneWork()
  /** requests that are finished */
  readonly #finished = new Set<string>()
  #checkAt = 0
  readonly #steps: Readonly<Record<Exclude<ForgetStep, 'done'>, Step>> = {
    waiting: (task, part, save) => this.#cut(task, part, save),
    planned: (task, part) => task.owned.paused(() => this.#finishCut(task, part)),
    cut: async (task, part) => ({
      ...(await forgetSets(this.#options, task, part, this.#options.seen)),
      step: 'sets',
    }),
    sets: (task, part) => this.#rewriteArchive(task, part),
    archived: (task, part, save) => this.#recount(task, part, save),
    counted: (task, part, save) => this.#forgetLog(task, part, save),
  }

  constructor(options: ForgetsOptions) {
    this.#options = options
  }

  /** Checks for work when a check is due, and does it. Concurrent calls share one run. Never rejects. */
  run(lanes: () => ReadonlyMap<number, RewritableLane>): Promise<void> {
    return this.#work.run(() => this.#run(lanes))
  }

  /** Resolves when no write to the lane is in flight; call it after the lane was given away. */
  whenIdle(lane: number): Promise<void> {
    return this.#work.whenIdle(lane).catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  /**
   * Completes what an earlier owner of the lane had decided but not done, before a batch is judged: the tables must not
   * say that a device is a user's at places that are forgotten.
   */
  async recover(lane: number, owned: RewritableLane): Promise<void> {
    const { registry } = this.#options
    for (const forget of await registry.forgets.list()) {
      if (forget.finished_at !== undefined) continue
      const part = await registry.forgetParts.get(forget.app, forgetPartId({ forget: forget.id, lane }))
      const app = part?.step === 'planned' ? await registry.app(forget.app) : undefined
      if (!app || !part) continue
      const task = { app, forget, lane, owned, assertOwned: () => undefined }
      await this.#save(app)(await this.#finishCut(task, part))
    }
  }

  async #run(lanes: () => ReadonlyMap<number, RewritableLane>): Promise<void> {
    if (performance.now() < this.#checkAt) return
    const { registry, logger, checkMs = CHECK_MS } = this.#options
    try {
      const all = await registry.forgets.list()
      this.#checkAt = performance.now() + checkMs + all.length * CHECK_MS_PER_FORGET
      const pending = all.filter(({ id, finished_at }) => finished_at === undefined && !this.#finished.has(id))
      for (const forget of pending.sort((a, b) => a.requested_at - b.requested_at)) {
        const app = await registry.app(forget.app)
        if (!app) continue
        for (const [lane, owned] of lanes()) await this.#forget({ app, forget, lane, owned }, lanes)
      }
      if (lanes().has(0)) await this.#finish(pending)
    } catch (error) {
      logger?.error({ err: error }, 'requests to forget a person could not be processed; they will be tried again')
    }
  }

  async #forget(
    { app, forget, lane, owned }: Omit<ForgetTask, 'assertOwned'>,
    lanes: () => ReadonlyMap<number, RewritableLane>,
  ): Promise<void> {
    const assertOwned = (): void => {
      if (this.#work.isClosed || lanes().get(lane) !== owned) throw new LaneLost()
    }
    const task: ForgetTask = { app, forget, lane, owned, assertOwned }
    await this.#work.step(lane, () =>
      this.#forgetIn(task).catch(async (error: unknown) => {
        if (error instanceof LaneLost) return
        await this.#saveProblem(task, error)
      }),
    )
  }

  /** Runs the remaining steps of a lane. */
  async #forgetIn(task: ForgetTask): Promise<void> {
    const { app, forget, lane, assertOwned } = task
    const { registry, logger } = this.#options
    const save = this.#save(app)
    const known = await registry.forgetParts.get(app.id, forgetPartId({ forget: forget.id, lane }))
    let part: ForgetPart = known ?? {
      forget: forget.id,
      lane,
      step: 'waiting',
      requested_at: forget.requested_at,
      devices: [],
      tally: emptyTally,
    }
    while (part.step !== 'done') {
      assertOwned()
      const next = withoutProblem(await this.#steps[part.step](task, part, save))
      // A lane that has none of the person's devices has nothing else to do.
      part = next.step === 'cut' && next.devices.length === 0 ? { ...next, step: 'done' } : next
      await save(part)
      logger?.info({ lane, app: app.id, forget: forget.id, step: part.step }, 'a person is being forgotten')
    }
  }

  /** Stores why a lane cannot continue, for those who wait for it. */
  async #saveProblem({ app, forget, lane }: ForgetTask, error: unknown): Promise<void> {
    const { registry, logger } = this.#options
    const problem = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Postponed))
      logger?.error({ lane, app: app.id, forget: forget.id, err: error }, 'a person could not be forgotten yet')
    const id = forgetPartId({ forget: forget.id, lane })
    try {
      const part = await registry.forgetParts.get(app.id, id)
      const unknown = { forget: forget.id, lane, step: 'waiting' as const, requested_at: forget.requested_at }
      if (part?.problem !== problem)
        await registry.forgetParts.put(app.id, id, { devices: [], tally: emptyTally, ...unknown, ...part, problem })
    } catch (cause) {
      logger?.error({ lane, err: cause }, 'the state of a request to forget a person could not be stored')
    }
  }

  #save({ id }: App): SavePart {
    return (part) => this.#options.registry.forgetParts.put(id, forgetPartId(part), part)
  }

  /**
   * Decides what is forgotten: everything of the person that the lane has counted and archived by now. The tables of
   * the dates must count what the archive has, since they are corrected by a recount.
   */
  async #cut(task: ForgetTask, part: ForgetPart, save: SavePart): Promise<ForgetPart> {
    const { log, lanes, reader, clearAppCache } = this.#options
    const { app, forget, lane, owned } = task
    const until = forget.ends[lane] ?? 0
    // Waits no further than to the end of the log: if the log has lost its end, it never reaches `until`.
    if (owned.committed < until && owned.committed < ((await log.ends())[lane] ?? 0))
      throw new Postponed('events that were received before the request are not counted yet')
    if (owned.isDeferring) throw new Postponed('events of an app that is behind are not counted yet')
    await this.#assertWhole(task)
    const planned = await owned.paused(async () => {
      if (owned.isDeferring) throw new Postponed('events of an app that is behind are not counted yet')
      const { position: mark } = await owned.archive()
      await lanes.commit(owned.currentLease(), mark)
      owned.committed = mark
      const devices = await planForget(reader, forget, { lane, lanes: log.lanes, mark })
      const decided: ForgetPart = { ...part, step: 'planned', mark, devices: devices.map(({ id: _, ...rest }) => rest) }
      await save(decided)
      clearAppCache()
      return this.#finishCut(task, decided)
    })
    this.#options.logger?.info(
      { lane, app: app.id, forget: forget.id, mark: planned.mark },
      'it is decided which events are forgotten',
    )
    return planned
  }

  /** Removes the identities at the places that are forgotten; no batch may be judged meanwhile. */
  async #finishCut(task: ForgetTask, part: ForgetPart): Promise<ForgetPart> {
    const { writer, reader, log, registry, clearAppCache } = this.#options
    const { app, forget, lane, owned } = task
    const found = await planForget(reader, forget, { lane, lanes: log.lanes, mark: part.mark! })
    const ranges = new Map(part.devices.map((each) => [each.device, each.ranges]))
    owned.clearVisitorCache()
    const forgotten = await ForgottenEvents.read(registry, app.id)
    clearAppCache()
    const { generation: expired = 0 } = await this.#folded(task)
    for (const { id, device } of found) {
      const generation = (forgotten?.generationOf(id) ?? 1) + expired
      const removed = { app: app.id, device: id, ranges: ranges.get(device) ?? [], generation }
      await writer.removeIdentities(owned.currentLease(), removed)
    }
    clearAppCache()
    return { ...part, step: 'cut' }
  }

  /** Refuses to begin if a recount would also change numbers that have nothing to do with the forgotten events. */
  async #assertWhole(task: ForgetTask): Promise<void> {
    const { archive, reader, log } = this.#options
    const { app, forget, lane, owned, assertOwned } = task
    const devices = await planForget(reader, forget, { lane, lanes: log.lanes, mark: owned.committed })
    if (devices.length === 0) return
    const rows = new ForgottenRows(app.id, { devices })
    const zone = timeZone(app.timezone)
    const dates = new Set<string>()
    for await (const events of forgottenEvents(archive, { app: app.id, lane, rows }, assertOwned))
      for (const { event } of events) dates.add(zone.dateOf(event.timestamp))
    const folded = await this.#folded(task)
    for (const date of [...dates].sort()) {
      assertOwned()
      await assertWholeDate(this.#options, { ...task, date, folded })
    }
  }

  async #rewriteArchive({ app, lane, owned, assertOwned }: ForgetTask, part: ForgetPart): Promise<ForgetPart> {
    const rows = new ForgottenRows(app.id, part)
    const work = (): Promise<void> =>
      rewriteSpans(this.#options.archive, { app: app.id, lane, rows }, () => owned.currentLease(), assertOwned)
    await (owned.merges?.exclusively(work) ?? work())
    return { ...part, step: 'archived' }
  }

  async #recount(task: ForgetTask, before: ForgetPart, save: SavePart): Promise<ForgetPart> {
    const folded = await this.#folded(task)
    let part = before
    for (const [date, forgotten] of Object.entries(before.dates ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (part.last !== undefined && date <= part.last) continue
      task.assertOwned()
      part = corrected(await recountForgotten(this.#options, { ...task, date, forgotten, folded }, part, save), date)
      await save(part)
    }
    return { ...part, step: 'counted' }
  }

  async #forgetLog(task: ForgetTask, before: ForgetPart, save: SavePart): Promise<ForgetPart> {
    const { log, writer, clearAppCache } = this.#options
    let part = before
    if (part.log_counted !== true) {
      part = await countLog({ log, writer }, task, part)
      await save(part)
      clearAppCache()
    }
    await rewriteLog(log, task, part)
    const { received = {}, whole_log = false } = part
    const recounted = { received: Object.keys(received), isWhole: whole_log }
    await recountFates(this.#options, log, task, recounted, await this.#folded(task))
    return { ...part, step: 'done' }
  }

  /** If Kafka does not let us read its settings, assumes that the log keeps everything. */
  async #keptUntil(now: number): Promise<number | undefined> {
    return this.#options.log.keptUntil?.(now).catch((error: unknown) => {
      this.#options.logger?.error({ err: error }, 'the retention of the log could not be read')
      return undefined
    })
  }

  async #folded({ app, lane }: ForgetTask): Promise<CountedApp> {
    return (await this.#options.appOf(app.id, lane)) ?? app
  }

  /** Ends all requests whose parts are done in every lane. Only the owner of the first lane calls this. */
  async #finish(pending: readonly Forget[]): Promise<void> {
    const done: Forget[] = []
    for (const forget of pending) if (await this.#isDone(forget)) done.push(forget)
    if (done.length === 0) return
    const { registry, log, scrub, logger } = this.#options
    try {
      const scrubbed = await scrub?.()
      const now = Date.now()
      const kept = log.rewrite ? {} : { log_kept_until: (await this.#keptUntil(now)) ?? null }
      for (const forget of done.map(unnamed).map(withoutProblem)) {
        const finished: Forget = { ...forget, finished_at: now, kept_files: scrubbed?.keptFiles ?? [], ...kept }
        await subtractUsage(registry, forget)
        await registry.forgets.put(forget.app, forget.id, finished)
        this.#finished.add(forget.id)
        logger?.info({ app: forget.app, forget: forget.id }, 'a person is forgotten')
      }
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      logger?.error({ err: error }, 'what was removed of persons could not be erased from the disk yet')
      for (const forget of done.map(unnamed))
        if (forget.problem !== problem) await registry.forgets.put(forget.app, forget.id, { ...forget, problem })
    }
  }

  /** Returns whether every lane has done its part. The name of the person is deleted when no lane needs it any more. */
  async #isDone({ person, ...forget }: Forget): Promise<boolean> {
    const { registry, log } = this.#options
    const parts = (await registry.forgetParts.list(forget.app)).filter((part) => part.forget === forget.id)
    const isCut = ({ step }: ForgetPart): boolean => forgetSteps.indexOf(step) >= forgetSteps.indexOf('cut')
    if (parts.length < log.lanes || !parts.every(isCut)) return false
    if (person !== undefined) await registry.forgets.put(forget.app, forget.id, forget)
    return parts.every(({ step }) => step === 'done')
  }
}

function unnamed({ person: _, ...rest }: Forget): Forget {
  return rest
}

/** Notes that the tables of a date are corrected. */
function corrected({ correcting: _, ...rest }: ForgetPart, date: string): ForgetPart {
  return { ...rest, last: date }
}
