import {
  emptyRetentionTally,
  judgedFrom,
  keptFromAt,
  keptFromInstant,
  retentionPartId,
  retentionSteps,
  type App,
  type Retention,
  type RetentionPart,
  type RetentionStep,
} from '@hopper/contracts'
import { ForgottenEvents, type Lanes } from '@hopper/storage'
import type { CountedApp } from '../judge/judge.ts'
import { Postponed, withoutProblem } from '../lane/postponed.ts'
import { LaneLost, type RewritableLane } from '../lane/rewritable-lane.ts'
import { recountFates } from '../forget/recount-fates.ts'
import { rewriteSpans } from '../forget/rewrite-spans.ts'
import type { BackgroundOptions } from '../lane/background-options.ts'
import { LaneWork } from '../lane/lane-work.ts'
import { expireIdentities } from './expire-identities.ts'
import { expireSets } from './expire-sets.ts'
import { expireTables } from './expire-tables.ts'
import { ExpiredRows } from './expired-rows.ts'
import { justifiedTime } from './justified-time.ts'
import type { RetentionTask } from './retention-task.ts'
import { trimLog } from './trim-log.ts'

/** Interval between two checks for dates that have expired. */
const CHECK_MS = 30_000
/**
 * Time between the decision and the first removal: every reader learns of the decision with the app, and no query
 * takes longer.
 */
const SETTLE_MS = 60_000
const NOT_COUNTED = 'events that were received before are not counted yet'

export interface RetentionsOptions extends BackgroundOptions {
  readonly lanes: Lanes
  /** returns the app with which batches of a lane are folded */
  readonly appOf: (id: string, lane: number) => Promise<CountedApp | undefined>
  /** interval between two checks, in ms; 30 s by default */
  readonly checkMs?: number | undefined
  /** time between the decision and the first removal, in ms; 60 s by default */
  readonly settleMs?: number | undefined
  /** returns the time (ms since the epoch); `Date.now` by default */
  readonly now?: (() => number) | undefined
}

/** Runs the step that follows one; returns the part with that step done. */
type Step = (task: RetentionTask, part: RetentionPart) => Promise<RetentionPart>

/**
 * Lets old events of apps expire, in the background, as the owner of lanes. The owner of the first lane decides from
 * which date an app keeps its events; from then on, readers do not show older events and batches do not count them.
 * Each lane then removes it in steps that it stores in the registry; a step may be interrupted anywhere and is done
 * again (decision 0036).
 */
export class Retentions {
  readonly #options: RetentionsOptions
  readonly #work = new LaneWork()
  /** when each decision was first seen, on the `performance.now()` clock */
  readonly #seenAt = new Map<string, number>()
  /** lanes that have nothing left to do, by owner */
  readonly #done = new WeakMap<RewritableLane, Set<string>>()
  /** ends of the log when lanes were first seen, by owner */
  readonly #takenAt = new WeakMap<RewritableLane, number>()
  #checkAt = 0
  readonly #steps: Readonly<Record<Exclude<RetentionStep, 'done'>, Step>> = {
    waiting: (task, part) => this.#begin(task, part),
    decided: (task, part) => expireSets(this.#options, task, part),
    sets: (task, part) => this.#rewriteArchive(task, part),
    archived: (task, part) => expireTables(this.#options.writer, task, part),
    tables: (task, part) => this.#recountFates(task, part),
    counted: (task, part) => this.#expireIdentities(task, part),
    identities: (task, part) => this.#trimLog(task, part),
  }

  constructor(options: RetentionsOptions) {
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

  async #run(lanes: () => ReadonlyMap<number, RewritableLane>): Promise<void> {
    if (performance.now() < this.#checkAt) return
    const { registry, log, logger, checkMs = CHECK_MS, now = Date.now } = this.#options
    try {
      const apps = await registry.apps.list()
      this.#checkAt = performance.now() + checkMs
      const justified = once(() => justifiedTime(log, now()))
      for (const found of apps) {
        const app = lanes().has(0) ? await this.#decide(found, justified) : found
        if (!isExpiring(app) || !this.#isSettled(app)) continue
        for (const [lane, owned] of lanes()) await this.#expire({ app, lane, owned }, lanes)
        if (lanes().has(0)) await this.#finish(app)
      }
    } catch (error) {
      logger?.error({ err: error }, 'apps could not be checked for dates that have expired; that will be tried again')
    }
  }

  /** Decides from which date an app keeps its events; a date never goes back, so the clock alone does not move it. */
  async #decide(app: App, justified: () => Promise<number>): Promise<App> {
    const { registry, logger, now = Date.now } = this.#options
    const isNew = (date: string | undefined): date is string => date !== undefined && date > (app.kept_from ?? '')
    if (!isNew(keptFromAt(app, now()))) return app
    const kept_from = keptFromAt(app, await justified())
    if (!isNew(kept_from)) return app
    await registry.retentions.put('', app.id, { app: app.id, kept_from, decided_at: now() })
    logger?.info({ app: app.id, keptFrom: kept_from }, 'events from before this date expire')
    return { ...app, kept_from }
  }

  #isSettled(app: RetentionTask['app']): boolean {
    const name = `${app.id} ${app.kept_from}`
    const seenAt = this.#seenAt.get(name) ?? performance.now()
    this.#seenAt.set(name, seenAt)
    const { settleMs = SETTLE_MS } = this.#options
    return performance.now() - seenAt >= settleMs
  }

  async #expire(
    { app, lane, owned }: Pick<RetentionTask, 'app' | 'lane' | 'owned'>,
    lanes: () => ReadonlyMap<number, RewritableLane>,
  ): Promise<void> {
    const done = this.#done.get(owned) ?? new Set()
    this.#done.set(owned, done)
    if (done.has(`${app.id} ${app.kept_from}`)) return
    const assertOwned = (): void => {
      if (this.#work.isClosed || lanes().get(lane) !== owned) throw new LaneLost()
    }
    const task: RetentionTask = { app, lane, owned, before: keptFromInstant(app), assertOwned }
    await this.#work.step(lane, () =>
      this.#expireIn(task)
        .then(() => void done.add(`${app.id} ${app.kept_from}`))
        .catch(async (error: unknown) => {
          if (error instanceof LaneLost) return
          await this.#saveProblem(task, error)
        }),
    )
  }

  /** Runs the remaining steps of a lane. */
  async #expireIn(task: RetentionTask): Promise<void> {
    const { app, lane, assertOwned } = task
    let part = partFor(task, await this.#partOf(task))
    if (part.step === 'done') return
    await this.#assertNotForgetting(task)
    while (part.step !== 'done') {
      assertOwned()
      const next = withoutProblem(await this.#steps[part.step](task, part))
      part = { ...next, step: retentionSteps[retentionSteps.indexOf(part.step) + 1]! }
      if (part.step === 'done') part = { ...part, expired_to: app.kept_from, received: [] }
      await this.#save(part)
    }
    const details = { lane, app: app.id, keptFrom: app.kept_from, ...part.tally }
    this.#options.logger?.info(details, 'events have expired')
  }

  /** Stores why a lane cannot continue, for those who wait for it. */
  async #saveProblem(task: RetentionTask, error: unknown): Promise<void> {
    const { logger } = this.#options
    const { app, lane } = task
    const problem = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Postponed))
      logger?.error({ lane, app: app.id, err: error }, 'old events could not be removed yet')
    try {
      const part = partFor(task, await this.#partOf(task))
      if (part.problem !== problem) await this.#save({ ...part, problem })
    } catch (cause) {
      logger?.error({ lane, err: cause }, 'the state of removing old events could not be stored')
    }
  }

  #partOf({ app, lane }: Pick<RetentionTask, 'lane'> & { readonly app: App }): Promise<RetentionPart | undefined> {
    return this.#options.registry.retentionParts.get(app.id, retentionPartId({ app: app.id, lane }))
  }

  #save(part: RetentionPart): Promise<void> {
    return this.#options.registry.retentionParts.put(part.app, retentionPartId(part), part)
  }

  /** Both rewrite the archive and recount fates: one after the other. */
  async #assertNotForgetting({ app, lane }: RetentionTask): Promise<void> {
    const parts = await this.#options.registry.forgetParts.list(app.id)
    if (parts.some((part) => part.lane === lane && part.step !== 'waiting' && part.step !== 'done'))
      throw new Postponed('a person is being forgotten')
  }

  /**
   * From here on, batches are judged with the new date, and everything judged before is archived. A batch that is
   * delivered again is judged as it was the first time, since a part of it may have been written.
   */
  async #begin(task: RetentionTask, part: RetentionPart): Promise<RetentionPart> {
    const { lanes, clearAppCache } = this.#options
    const { app, owned } = task
    await this.#assertCounted(task)
    const begun: RetentionPart = { ...part, judged_from: app.kept_from }
    await owned.paused(async () => {
      if (owned.isDeferring || owned.isHalfWritten) throw new Postponed(NOT_COUNTED)
      const { position } = await owned.archive()
      await lanes.commit(owned.currentLease(), position)
      owned.committed = position
      await this.#save(begun)
      clearAppCache()
    })
    return begun
  }

  /** The previous owner may have written a part of the messages that the log had when the lane was taken. */
  async #assertCounted({ lane, owned }: RetentionTask): Promise<void> {
    const end = (await this.#options.log.ends())[lane] ?? 0
    const taken = this.#takenAt.get(owned) ?? end
    this.#takenAt.set(owned, taken)
    // Waits no further than to the end of the log: if the log has lost its end, it never reaches `taken`.
    if (owned.counted < Math.min(taken, end)) throw new Postponed(NOT_COUNTED)
  }

  async #rewriteArchive(
    { app, lane, owned, before, assertOwned }: RetentionTask,
    part: RetentionPart,
  ): Promise<RetentionPart> {
    const rows = new ExpiredRows(before)
    const work = (): Promise<void> =>
      rewriteSpans(this.#options.archive, { app: app.id, lane, rows }, () => owned.currentLease(), assertOwned)
    await (owned.merges?.exclusively(work) ?? work())
    return part
  }

  async #recountFates(task: RetentionTask, part: RetentionPart): Promise<RetentionPart> {
    const folded = (await this.#options.appOf(task.app.id, task.lane)) ?? task.app
    const recounted = { received: part.received, isWhole: false, expires: true }
    await recountFates(this.#options, this.#options.log, task, recounted, folded)
    return part
  }

  async #expireIdentities(task: RetentionTask, part: RetentionPart): Promise<RetentionPart> {
    const { log, registry, clearAppCache } = this.#options
    const forgotten = await ForgottenEvents.read(registry, task.app.id)
    const save = async (changed: RetentionPart): Promise<void> => {
      await this.#save(changed)
      clearAppCache()
    }
    return expireIdentities({ store: this.#options, log, forgotten, save }, task, part)
  }

  #trimLog(task: RetentionTask, part: RetentionPart): Promise<RetentionPart> {
    const { log, reader } = this.#options
    return trimLog(log, reader, task, part)
  }

  /** Notes that every lane is done. Only the owner of the first lane calls this. */
  async #finish(app: RetentionTask['app']): Promise<void> {
    const { registry, log, now = Date.now } = this.#options
    const known = await registry.retentions.get('', app.id)
    if (!known || known.finished_at !== undefined || known.kept_from !== app.kept_from) return
    const parts = await registry.retentionParts.list(app.id)
    const done = parts.filter(({ step, kept_from }) => step === 'done' && kept_from === app.kept_from)
    if (done.length < log.lanes) return
    const finished: Retention = { ...known, finished_at: now() }
    await registry.retentions.put('', app.id, finished)
  }
}

/** Returns a function that asks on its first call and returns the same answer afterwards. */
function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => (answer ??= ask())
}

function isExpiring(app: App): app is RetentionTask['app'] {
  return app.kept_from !== undefined
}

/** Returns the part of a lane for the decided date. It also covers whatever an earlier date has left unfinished. */
function partFor({ app, lane }: RetentionTask, known: RetentionPart | undefined): RetentionPart {
  if (known?.kept_from === app.kept_from) return known
  const { received = [], scattered = [], log_position = 0, generation = 0, expired_to } = known ?? {}
  const judged_from = known && judgedFrom(known)
  return {
    app: app.id,
    lane,
    kept_from: app.kept_from,
    step: 'waiting',
    received,
    scattered,
    log_position,
    generation,
    ...(expired_to === undefined ? {} : { expired_to }),
    ...(judged_from === undefined ? {} : { judged_from }),
    tally: emptyRetentionTally,
  }
}
