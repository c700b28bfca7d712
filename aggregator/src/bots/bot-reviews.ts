import {
  botDefinition,
  datesBetween,
  isChangingVerdicts,
  SESSION_REACH_MS,
  shiftDate,
  timeZone,
  type App,
  type ArchivedEvent,
  type BotReview,
} from '@hopper/contracts'
import { replaceSessions } from '../forget/forget-sets.ts'
import type { CountedApp } from '../judge/judge.ts'
import { LaneLost, type RewritableLane } from '../lane/rewritable-lane.ts'
import { assertWholeDate, recountDate } from '../forget/recount-date.ts'
import { assertWholeFates, recountFates } from '../forget/recount-fates.ts'
import { rewriteSpans } from '../forget/rewrite-spans.ts'
import type { BackgroundOptions } from '../lane/background-options.ts'
import { LaneWork } from '../lane/lane-work.ts'
import { ChangedRows } from './changed-rows.ts'
import { ReviewStates } from './review-states.ts'
import {
  ChangedVerdicts,
  findChanges,
  freshEvents,
  type ReviewedArchive,
  type ReviewedEvents,
} from './changed-verdicts.ts'

/** Interval between two reviews. */
const CHECK_MS = 2_000
/** Added to the interval for each app, since a check reads them all. */
const CHECK_MS_PER_APP = 20
const NO_POSITIONS = { from: 0, to: 0 }

export interface BotReviewsOptions extends BackgroundOptions {
  /** returns the app with which batches of a lane are folded */
  readonly appOf: (id: string, lane: number) => Promise<CountedApp | undefined>
  /** interval between two reviews, in ms; by default 2 s (plus 20 ms per app), and more after one that took long */
  readonly checkMs?: number | undefined
}

/** An app in an owned lane. */
interface ReviewTask {
  readonly app: App
  readonly lane: number
  readonly owned: RewritableLane
  /** position before which everything was counted and archived when the app was read */
  readonly before: number
  readonly assertOwned: () => void
}

/**
 * Gives every session one verdict about whether it is a bot's, in the background, as the owner of lanes (decision
 * 0052). A batch is judged event by event; a review then judges the sessions that have new events, and the whole
 * archive when the rules of an app have changed. Events whose verdict changes are changed in the archive, and the
 * tables of their dates are recounted from it. The dates to recount are stored before the archive is changed, so a
 * review may be interrupted anywhere and is then done again.
 */
export class BotReviews {
  readonly #options: BotReviewsOptions
  readonly #work = new LaneWork()
  readonly #states: ReviewStates
  /** positions up to which lanes were counted before the last run read the apps */
  readonly #begunAt = new WeakMap<RewritableLane, number>()
  #nextCheckAt = 0
  #isBehind = true

  constructor(options: BotReviewsOptions) {
    this.#options = options
    this.#states = new ReviewStates(options.registry, options.logger)
  }

  /**
   * Reviews new events, when a review is due. Concurrent calls share one run. Resolves with whether every event that
   * was counted has its verdict. Never rejects.
   */
  async run(lanes: () => ReadonlyMap<number, RewritableLane>): Promise<boolean> {
    await this.#work.run(() => this.#run(lanes))
    // Events may have been counted since the run began.
    return !this.#isBehind && [...lanes().values()].every((owned) => this.#begunAt.get(owned) === owned.committed)
  }

  /** Resolves when no write to the lane is in flight; call it after the lane was given away. */
  whenIdle(lane: number): Promise<void> {
    return this.#work.whenIdle(lane).catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => ReadonlyMap<number, RewritableLane>): Promise<void> {
    if (performance.now() < this.#nextCheckAt) return
    const { registry, logger, checkMs } = this.#options
    let isBehind = false
    const begins = [...lanes()].map(([lane, owned]) => ({ lane, owned, before: owned.committed }))
    for (const { owned, before } of begins) this.#begunAt.set(owned, before)
    try {
      const apps = await registry.apps.list()
      for (const app of apps)
        for (const begun of begins) if (!(await this.#step({ app, ...begun }, lanes))) isBehind = true
      this.#nextCheckAt = performance.now() + (checkMs ?? CHECK_MS + apps.length * CHECK_MS_PER_APP)
    } catch (error) {
      isBehind = true
      logger?.error({ err: error }, 'apps could not be reviewed for bots and will be tried again')
    }
    this.#isBehind = isBehind
  }

  /** Reviews an app in a lane; returns whether nothing is left to do. */
  async #step(
    { app, lane, owned, before }: Omit<ReviewTask, 'assertOwned'>,
    lanes: () => ReadonlyMap<number, RewritableLane>,
  ): Promise<boolean> {
    const assertOwned = (): void => {
      if (this.#work.isClosed || lanes().get(lane) !== owned) throw new LaneLost()
    }
    if (this.#work.isClosed || lanes().get(lane) !== owned) return false
    const task: ReviewTask = { app, lane, owned, before, assertOwned }
    return this.#work.step(lane, () =>
      this.#review(task).catch(async (error: unknown) => {
        if (error instanceof LaneLost) return false
        await this.#states.saveProblem(task, error)
        return false
      }),
    )
  }

  async #review(task: ReviewTask): Promise<boolean> {
    const { app, lane, owned, before, assertOwned } = task
    const { log, appOf } = this.#options
    const { problem, ...known } = await this.#stateOf(task)
    if (!known.whole && !isChangingVerdicts(known)) {
      if (known.reviewed >= before) return true
      if (this.#states.isPaused(task)) return false
    }
    const started = performance.now()
    if (await this.#hasRemovalInProgress(task)) return false
    // Waits no further than to the end of the log: if the log has lost its end, it never reaches `until`.
    if (before < known.until && before < ((await log.ends())[lane] ?? 0)) return false
    const folded = (await appOf(app.id, lane)) ?? app
    const source: ReviewedArchive = {
      archive: this.#options.archive,
      app: withRulesOf(app, folded),
      lane,
      before,
      assertOwned,
    }
    const settled = await this.#settle(task, known, folded)
    const state = settled.whole
      ? await this.#reviewWhole(task, settled, source)
      : await this.#reviewFresh(task, settled, source)
    if (problem === undefined) await this.#states.saveSometimes(owned, state)
    else await this.#states.save(owned, state)
    if (!settled.whole && this.#options.checkMs === undefined)
      this.#states.pauseAfter(task, performance.now() - started)
    return true
  }

  /** Reads the state of an app in a lane. Changed rules get the position from which on batches are judged by them. */
  async #stateOf({ app, lane, owned, before }: ReviewTask): Promise<BotReview> {
    const { log, clearAppCache } = this.#options
    const definition = botDefinition(app)
    const found = await this.#states.read({ app, lane, owned })
    if (found?.definition === definition) {
      this.#states.cache(owned, found)
      return found
    }
    // Events that were counted since the last review may have been judged by the earlier rules, by the new ones, or
    // some by each.
    const unreviewed = found?.reviewed ?? (definition === botDefinition({ ...app, bot_rules: [] }) ? before : 0)
    const since = Math.min(unreviewed, found?.whole?.since ?? Infinity)
    clearAppCache()
    const until = (await log.ends())[lane] ?? 0
    const nothing = { app: app.id, lane, lanes: log.lanes, changes: 0, dates: [], received: [] }
    const { whole: _, ...rest } = { ...nothing, reviewed: 0, ...found }
    const state: BotReview = { ...rest, definition, until, whole: { since, done: 0, dates: 0 } }
    await this.#states.save(owned, state)
    return state
  }

  /** Removals of events end first: they rely on the verdicts that the archive had when they began. */
  async #hasRemovalInProgress({ app, lane }: ReviewTask): Promise<boolean> {
    const { forgetParts, retentionParts } = this.#options.registry
    const parts = [...(await forgetParts.list(app.id)), ...(await retentionParts.list(app.id))]
    return parts.some((part) => part.lane === lane && part.step !== 'waiting' && part.step !== 'done')
  }

  async #reviewFresh(task: ReviewTask, before: BotReview, source: ReviewedArchive): Promise<BotReview> {
    const { spans, sessions } = await freshEvents(source, before.reviewed)
    const windows = spans.map(({ first, last }) => ({
      range: { from: first - SESSION_REACH_MS, to: last + SESSION_REACH_MS + 1 },
      fresh: { sessions, from: before.reviewed },
      unsure: NO_POSITIONS,
    }))
    let state = before
    for (const window of windows) state = await this.#reviewEvents(task, state, source, window)
    return { ...state, reviewed: source.before }
  }

  /** Reviews the whole archive, the newest month first. */
  async #reviewWhole(task: ReviewTask, before: BotReview, source: ReviewedArchive): Promise<BotReview> {
    const { app } = task
    const zone = timeZone(app.timezone)
    const { since, to = source.before, last } = before.whole!
    const dates = await this.#dates(task)
    const months = [...Map.groupBy(dates, (date) => date.slice(0, 7)).values()].sort(([a], [b]) => (a! < b! ? 1 : -1))
    let state: BotReview = before
    let done = 0
    for (const month of months) {
      const [first, end] = [month[0]!, month.at(-1)!]
      done += month.length
      if (last !== undefined && first >= last) continue
      task.assertOwned()
      const range = { from: zone.startOf(first), to: zone.startOf(shiftDate(end, 1)) }
      state = await this.#reviewEvents(task, state, source, { range, unsure: { from: since, to: state.until } })
      state = { ...state, whole: { since, to, last: first, done, dates: dates.length } }
      await this.#states.save(task.owned, state)
    }
    this.#options.logger?.info({ lane: task.lane, app: app.id, dates: dates.length }, 'bots of the past are reviewed')
    const { whole: _, ...rest } = state
    const reviewed: BotReview = { ...rest, reviewed: to }
    await this.#states.save(task.owned, reviewed)
    return reviewed
  }

  /** All dates with archived events of the lane, ascending. */
  async #dates({ app, lane }: ReviewTask): Promise<string[]> {
    const zone = timeZone(app.timezone)
    const chunks = await this.#options.archive.list({ app: app.id, lane, from: 0, to: Number.MAX_SAFE_INTEGER })
    const dates = new Set<string>()
    for (const { min_time, max_time } of chunks)
      for (const date of datesBetween(zone.dateOf(min_time), zone.dateOf(max_time))) dates.add(date)
    return [...dates].sort()
  }

  /** Gives events their verdicts, in the archive and in the tables. */
  async #reviewEvents(
    task: ReviewTask,
    before: BotReview,
    source: ReviewedArchive,
    events: ReviewedEvents,
  ): Promise<BotReview> {
    let state = before
    for (let isLeft = true; isLeft;) {
      task.assertOwned()
      const found = new ChangedVerdicts()
      await findChanges(source, events, found)
      if (found.isEmpty) break
      state = await this.#change(task, state, source, found)
      isLeft = found.isFull
    }
    return this.#settle(task, state, source.app)
  }

  /** Changes verdicts in the archive, after storing which dates to recount then. */
  async #change(
    task: ReviewTask,
    before: BotReview,
    source: ReviewedArchive,
    found: ChangedVerdicts,
  ): Promise<BotReview> {
    const { archive, log } = this.#options
    const { app, lane, owned, assertOwned } = task
    for (const date of [...found.dates].sort()) {
      if (before.dates.includes(date) || found.unsureDates.has(date)) continue
      assertOwned()
      await assertWholeDate(this.#options, { app, lane, owned, date, folded: source.app })
    }
    assertOwned()
    const newlyReceived = [...found.received].filter((date) => !before.received.includes(date))
    await assertWholeFates(this.#options, log, task, newlyReceived, source.app)
    const dates = [...new Set([...before.dates, ...found.dates])].sort()
    const received = [...new Set([...before.received, ...found.received])].sort()
    const state: BotReview = { ...before, changes: before.changes + 1, dates, received }
    await this.#states.save(owned, state)
    const rows = new ChangedRows(found)
    const remaining = (laneOfEvent: number, archived: ArchivedEvent): ArchivedEvent => {
      return laneOfEvent === lane ? rows.changed(archived) : archived
    }
    const ordered = [...found.sessions].sort(([, a], [, b]) => a.first - b.first).map(([id]) => id)
    await replaceSessions(this.#options, task, ordered, { remainderOf: remaining, times: found.sessions })
    const work = (): Promise<void> =>
      rewriteSpans(archive, { app: app.id, lane, rows }, () => owned.currentLease(), assertOwned)
    await (owned.merges?.exclusively(work) ?? work())
    return state
  }

  /** Recounts the tables of the dates whose verdicts have changed. */
  async #settle(task: ReviewTask, before: BotReview, folded: CountedApp): Promise<BotReview> {
    if (!isChangingVerdicts(before)) return before
    const { registry, log } = this.#options
    const { app, lane, owned, assertOwned } = task
    let state: BotReview = before
    for (const date of before.dates) {
      assertOwned()
      const keptFrom = (await registry.app(app.id))?.kept_from ?? ''
      if (date >= keptFrom) await recountDate(this.#options, { app, lane, owned, date, folded })
      state = { ...state, dates: state.dates.filter((other) => other !== date) }
      await this.#states.save(owned, state)
    }
    await recountFates(this.#options, log, task, { received: state.received, isWhole: false }, folded)
    const done: BotReview = { ...state, received: [] }
    await this.#states.save(owned, done)
    this.#options.logger?.info({ lane, app: app.id, dates: before.dates }, 'dates are recounted, as bots were found')
    return done
  }
}

/** Returns an app as batches are folded with it, but with the reviewed rules: the cached app may have others. */
function withRulesOf({ bot_rules }: App, { bot_rules: _, ...folded }: CountedApp): CountedApp {
  return { ...folded, ...(bot_rules === undefined ? {} : { bot_rules }) }
}
