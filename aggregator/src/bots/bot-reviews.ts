import {
  botDefinition,
  botReviewId,
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
import { NotOurs, Postponed, type FoldedApp, type ForgettingLane } from '../forget/lane-parts.ts'
import { assertWholeDate, recountDate } from '../forget/recount-date.ts'
import { assertWholeFates, recountFates } from '../forget/recount-fates.ts'
import { rewriteSpans } from '../forget/rewrite-spans.ts'
import type { BackgroundOptions } from '../lane/background-options.ts'
import { LaneWork } from '../lane/lane-work.ts'
import { ChangedRows } from './changed-rows.ts'
import {
  ChangedVerdicts,
  findChanges,
  freshEvents,
  type ReviewedArchive,
  type ReviewedEvents,
} from './changed-verdicts.ts'

/** Interval between two reviews, and the additional time per app. */
const CHECK_MS = 2_000
const CHECK_MS_PER_APP = 20
/**
 * Pause of an app in a lane after a review of its new events, in times of what that took: reviews take at most about a
 * twentieth of a thread. Changed rules do not wait for it.
 */
const REST = 20
/** Interval at which the progress of lanes is stored while no verdict changes: less is reviewed again after a crash. */
const SAVE_MS = 60_000
const NO_POSITIONS = { from: 0, to: 0 }

export interface BotReviewsOptions extends BackgroundOptions {
  /** returns an app as batches of a lane are folded with it */
  readonly appOf: (id: string, lane: number) => Promise<FoldedApp | undefined>
  /** interval between two reviews, in ms; by default 2 s (plus 20 ms per app), and more after one that took long */
  readonly checkMs?: number | undefined
}

/** An app in an owned lane. */
interface Place {
  readonly app: App
  readonly lane: number
  readonly own: ForgettingLane
  /** position before which everything was counted and archived when the app was read */
  readonly before: number
  readonly assertOwned: () => void
}

/** Progress of an owner of a lane with an app. */
interface Known {
  readonly state: BotReview
  readonly savedAt: number
  /** when its new events may be reviewed again, on the `performance.now()` clock */
  readonly restUntil?: number
}

/**
 * Gives every session one verdict about whether it is a bot's, in the background, as the owner of lanes (decision
 * 0052). A batch is judged event by event; a review then judges the sessions that have new events, and the whole
 * archive when the rules of an app have changed. Events whose verdict changes are changed in the archive, and the
 * tables of their dates are recounted from it. What is about to be recounted is stored before the archive is changed,
 * so a review may be interrupted anywhere and is then done again.
 */
export class BotReviews {
  readonly #options: BotReviewsOptions
  readonly #work = new LaneWork()
  readonly #known = new WeakMap<ForgettingLane, Map<string, Known>>()
  /** positions up to which lanes were counted before the last run read the apps */
  readonly #begun = new WeakMap<ForgettingLane, number>()
  #nextCheckAt = 0
  #isBehind = true

  constructor(options: BotReviewsOptions) {
    this.#options = options
  }

  /**
   * Reviews what is new, when a review is due. Concurrent calls share one run. Resolves with whether every event that
   * was counted has its verdict. Never rejects.
   */
  async run(lanes: () => ReadonlyMap<number, ForgettingLane>): Promise<boolean> {
    await this.#work.run(() => this.#run(lanes))
    // Events may have been counted since the run began.
    return !this.#isBehind && [...lanes().values()].every((own) => this.#begun.get(own) === own.committed)
  }

  /** Resolves when no write to the lane is in flight; call it after the lane was given away. */
  whenIdle(lane: number): Promise<void> {
    return this.#work.whenIdle(lane).catch(() => undefined)
  }

  close(): Promise<void> {
    return this.#work.close()
  }

  async #run(lanes: () => ReadonlyMap<number, ForgettingLane>): Promise<void> {
    if (performance.now() < this.#nextCheckAt) return
    const { registry, logger, checkMs } = this.#options
    let isBehind = false
    const begun = [...lanes()].map(([lane, own]) => ({ lane, own, before: own.committed }))
    for (const { own, before } of begun) this.#begun.set(own, before)
    try {
      const apps = await registry.apps.list()
      for (const app of apps)
        for (const place of begun) if (!(await this.#step({ app, ...place }, lanes))) isBehind = true
      this.#nextCheckAt = performance.now() + (checkMs ?? CHECK_MS + apps.length * CHECK_MS_PER_APP)
    } catch (error) {
      isBehind = true
      logger?.error({ err: error }, 'apps could not be reviewed for bots; it is tried again')
    }
    this.#isBehind = isBehind
  }

  /** Reviews an app in a lane; returns whether nothing is left to do. */
  async #step(
    { app, lane, own, before }: Omit<Place, 'assertOwned'>,
    lanes: () => ReadonlyMap<number, ForgettingLane>,
  ): Promise<boolean> {
    const assertOwned = (): void => {
      if (this.#work.isClosed || lanes().get(lane) !== own) throw new NotOurs()
    }
    if (this.#work.isClosed || lanes().get(lane) !== own) return false
    const place: Place = { app, lane, own, before, assertOwned }
    return this.#work.step(lane, () =>
      this.#review(place).catch(async (error: unknown) => {
        if (error instanceof NotOurs) return false
        await this.#note(place, error)
        return false
      }),
    )
  }

  async #review(place: Place): Promise<boolean> {
    const { app, lane, own, before, assertOwned } = place
    const { log, appOf } = this.#options
    const { problem, ...known } = await this.#stateOf(place)
    if (!known.whole && !isChangingVerdicts(known)) {
      if (known.reviewed >= before) return true
      if (performance.now() < (this.#known.get(own)?.get(app.id)?.restUntil ?? 0)) return false
    }
    const started = performance.now()
    if (await this.#isRemoving(place)) return false
    // A log that has lost its end never reaches that position.
    if (before < known.until && before < ((await log.ends())[lane] ?? 0)) return false
    const folded = (await appOf(app.id, lane)) ?? app
    const source: ReviewedArchive = {
      archive: this.#options.archive,
      app: withRulesOf(app, folded),
      lane,
      before,
      assertOwned,
    }
    const settled = await this.#settle(place, known, folded)
    const state = settled.whole
      ? await this.#reviewWhole(place, settled, source)
      : await this.#reviewFresh(place, settled, source)
    if (problem === undefined) await this.#keep(place, state)
    else await this.#save(own, state)
    if (!settled.whole && this.#options.checkMs === undefined) this.#rest(place, performance.now() - started)
    return true
  }

  /** Reads the state of an app in a lane. Changed rules get the position from which on batches are judged by them. */
  async #stateOf({ app, lane, own, before }: Place): Promise<BotReview> {
    const { registry, log, forgetApps } = this.#options
    const definition = botDefinition(app)
    const cached = this.#known.get(own)?.get(app.id)?.state
    const found = cached ?? (await registry.botReviews.get(app.id, botReviewId({ app: app.id, lane })))
    if (found?.definition === definition) {
      if (!cached) this.#remember(own, found, performance.now())
      return found
    }
    // Whatever was counted since the last review may have been judged by the earlier rules, by these, or in part by
    // each.
    const unreviewed = found?.reviewed ?? (definition === botDefinition({ ...app, bot_rules: [] }) ? before : 0)
    const since = Math.min(unreviewed, found?.whole?.since ?? Infinity)
    forgetApps()
    const until = (await log.ends())[lane] ?? 0
    const nothing = { app: app.id, lane, lanes: log.lanes, changes: 0, dates: [], received: [] }
    const { whole: _, ...rest } = { ...nothing, reviewed: 0, ...found }
    const state: BotReview = { ...rest, definition, until, whole: { since, done: 0, dates: 0 } }
    await this.#save(own, state)
    return state
  }

  /** Lets removals end first: they count on the verdicts that the archive had when they began. */
  async #isRemoving({ app, lane }: Place): Promise<boolean> {
    const { forgetParts, retentionParts } = this.#options.registry
    const parts = [...(await forgetParts.list(app.id)), ...(await retentionParts.list(app.id))]
    return parts.some((part) => part.lane === lane && part.step !== 'waiting' && part.step !== 'done')
  }

  async #reviewFresh(place: Place, before: BotReview, source: ReviewedArchive): Promise<BotReview> {
    const { spans, sessions } = await freshEvents(source, before.reviewed)
    const windows = spans.map(({ first, last }) => ({
      range: { from: first - SESSION_REACH_MS, to: last + SESSION_REACH_MS + 1 },
      fresh: { sessions, from: before.reviewed },
      unsure: NO_POSITIONS,
    }))
    let state = before
    for (const window of windows) state = await this.#reviewEvents(place, state, source, window)
    return { ...state, reviewed: source.before }
  }

  /** Reviews the whole archive, the newest month first. */
  async #reviewWhole(place: Place, before: BotReview, source: ReviewedArchive): Promise<BotReview> {
    const { app } = place
    const zone = timeZone(app.timezone)
    const { since, to = source.before, last } = before.whole!
    const dates = await this.#dates(place)
    const months = [...Map.groupBy(dates, (date) => date.slice(0, 7)).values()].sort(([a], [b]) => (a! < b! ? 1 : -1))
    let state: BotReview = before
    let done = 0
    for (const month of months) {
      const [first, end] = [month[0]!, month.at(-1)!]
      done += month.length
      if (last !== undefined && first >= last) continue
      place.assertOwned()
      const range = { from: zone.startOf(first), to: zone.startOf(shiftDate(end, 1)) }
      state = await this.#reviewEvents(place, state, source, { range, unsure: { from: since, to: state.until } })
      state = { ...state, whole: { since, to, last: first, done, dates: dates.length } }
      await this.#save(place.own, state)
    }
    this.#options.logger?.info({ lane: place.lane, app: app.id, dates: dates.length }, 'bots of the past are reviewed')
    const { whole: _, ...rest } = state
    const reviewed: BotReview = { ...rest, reviewed: to }
    await this.#save(place.own, reviewed)
    return reviewed
  }

  /** All dates with archived events of the lane, ascending. */
  async #dates({ app, lane }: Place): Promise<string[]> {
    const zone = timeZone(app.timezone)
    const chunks = await this.#options.archive.list({ app: app.id, lane, from: 0, to: Number.MAX_SAFE_INTEGER })
    const dates = new Set<string>()
    for (const { min_time, max_time } of chunks)
      for (const date of datesBetween(zone.dateOf(min_time), zone.dateOf(max_time))) dates.add(date)
    return [...dates].sort()
  }

  /** Gives events their verdicts, in the archive and in the tables. */
  async #reviewEvents(
    place: Place,
    before: BotReview,
    source: ReviewedArchive,
    events: ReviewedEvents,
  ): Promise<BotReview> {
    let state = before
    for (let isLeft = true; isLeft;) {
      place.assertOwned()
      const found = new ChangedVerdicts()
      await findChanges(source, events, found)
      if (found.isEmpty) break
      state = await this.#change(place, state, source, found)
      isLeft = found.isFull
    }
    return this.#settle(place, state, source.app)
  }

  /** Changes verdicts in the archive, once it is stored what is to be recounted then. */
  async #change(place: Place, before: BotReview, source: ReviewedArchive, found: ChangedVerdicts): Promise<BotReview> {
    const { archive, log } = this.#options
    const { app, lane, own, assertOwned } = place
    for (const date of [...found.dates].sort()) {
      if (before.dates.includes(date) || found.unsureDates.has(date)) continue
      assertOwned()
      await assertWholeDate(this.#options, { app, lane, own, date, folded: source.app })
    }
    assertOwned()
    const newlyReceived = [...found.received].filter((date) => !before.received.includes(date))
    await assertWholeFates(this.#options, log, place, newlyReceived, source.app)
    const dates = [...new Set([...before.dates, ...found.dates])].sort()
    const received = [...new Set([...before.received, ...found.received])].sort()
    const state: BotReview = { ...before, changes: before.changes + 1, dates, received }
    await this.#save(own, state)
    const rows = new ChangedRows(found)
    const remaining = (of: number, archived: ArchivedEvent): ArchivedEvent => {
      return of === lane ? rows.changed(archived) : archived
    }
    const ordered = [...found.sessions].sort(([, a], [, b]) => a.first - b.first).map(([id]) => id)
    await replaceSessions(this.#options, place, ordered, { of: remaining, times: found.sessions })
    const work = (): Promise<void> =>
      rewriteSpans(archive, { app: app.id, lane, rows }, () => own.currentLease(), assertOwned)
    await (own.merges?.exclusively(work) ?? work())
    return state
  }

  /** Recounts the tables of the dates whose verdicts have changed. */
  async #settle(place: Place, before: BotReview, folded: FoldedApp): Promise<BotReview> {
    if (!isChangingVerdicts(before)) return before
    const { registry, log } = this.#options
    const { app, lane, own, assertOwned } = place
    let state: BotReview = before
    for (const date of before.dates) {
      assertOwned()
      const keptFrom = (await registry.app(app.id))?.kept_from ?? ''
      if (date >= keptFrom) await recountDate(this.#options, { app, lane, own, date, folded })
      state = { ...state, dates: state.dates.filter((other) => other !== date) }
      await this.#save(own, state)
    }
    await recountFates(this.#options, log, place, { received: state.received, isWhole: false }, folded)
    const done: BotReview = { ...state, received: [] }
    await this.#save(own, done)
    this.#options.logger?.info({ lane, app: app.id, dates: before.dates }, 'dates are recounted, as bots were found')
    return done
  }

  #rest({ app, own }: Place, tookMs: number): void {
    const apps = this.#known.get(own)
    const known = apps?.get(app.id)
    if (known) apps!.set(app.id, { ...known, restUntil: performance.now() + tookMs * REST })
  }

  /** Remembers how far a review has come, and stores it now and then. */
  async #keep({ own }: Place, state: BotReview): Promise<void> {
    const { savedAt = -Infinity } = this.#known.get(own)?.get(state.app) ?? {}
    if (performance.now() - savedAt >= SAVE_MS) await this.#save(own, state)
    else this.#remember(own, state, savedAt)
  }

  async #save(own: ForgettingLane, state: BotReview): Promise<void> {
    await this.#options.registry.botReviews.put(state.app, botReviewId(state), state)
    this.#remember(own, state, performance.now())
  }

  #remember(own: ForgettingLane, state: BotReview, savedAt: number): void {
    const apps = this.#known.get(own) ?? new Map<string, Known>()
    this.#known.set(own, apps.set(state.app, { state, savedAt }))
  }

  /** Stores why a review cannot go on, for whoever waits. */
  async #note({ app, lane, own }: Place, error: unknown): Promise<void> {
    const { registry, logger } = this.#options
    const problem = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Postponed))
      logger?.error({ lane, app: app.id, err: error }, 'bots could not be reviewed; it is tried again')
    // What is in memory may be ahead of what is stored, or behind it.
    this.#known.get(own)?.delete(app.id)
    const id = botReviewId({ app: app.id, lane })
    try {
      const state = await registry.botReviews.get(app.id, id)
      if (state && state.problem !== problem) await registry.botReviews.put(app.id, id, { ...state, problem })
    } catch (cause) {
      logger?.error({ lane, err: cause }, 'the state of a review of bots could not be stored')
    }
  }
}

/** Returns an app as batches are folded with it, with the rules that are reviewed: cached ones may be others. */
function withRulesOf({ bot_rules }: App, { bot_rules: _, ...folded }: FoldedApp): FoldedApp {
  return { ...folded, ...(bot_rules === undefined ? {} : { bot_rules }) }
}
