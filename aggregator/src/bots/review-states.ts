import { botReviewId, type BotReview } from '@hopper/contracts'
import type { Registry } from '@hopper/storage'
import type { AppLane } from '../forget/forget-task.ts'
import type { BackgroundOptions } from '../lane/background-options.ts'
import { Postponed } from '../lane/postponed.ts'
import type { RewritableLane } from '../lane/rewritable-lane.ts'

/**
 * After a review of its new events, an app in a lane pauses for this multiple of the review's duration, so reviews take
 * at most about a twentieth of a thread. Changed rules do not wait.
 */
const PAUSE_FACTOR = 20
/**
 * Interval at which the progress of lanes is stored while no verdict changes, to limit how much is reviewed again after
 * a crash.
 */
const SAVE_MS = 60_000

interface CachedState {
  readonly state: BotReview
  /** instants on the `performance.now()` clock */
  readonly savedAt: number
  readonly pausedUntil?: number
}

/**
 * How far the reviews of apps in owned lanes have come: stored in the registry, and cached as long as a lane is owned.
 */
export class ReviewStates {
  readonly #registry: Registry
  readonly #logger: BackgroundOptions['logger']
  readonly #cached = new WeakMap<RewritableLane, Map<string, CachedState>>()

  constructor(registry: Registry, logger: BackgroundOptions['logger']) {
    this.#registry = registry
    this.#logger = logger
  }

  async read({ app, lane, owned }: AppLane): Promise<BotReview | undefined> {
    const cached = this.#cached.get(owned)?.get(app.id)
    if (cached) return cached.state
    return this.#registry.botReviews.get(app.id, botReviewId({ app: app.id, lane }))
  }

  /** Caches a state as it is stored, unless one is cached already. */
  cache(owned: RewritableLane, state: BotReview): void {
    if (!this.#cached.get(owned)?.has(state.app)) this.#set(owned, state, performance.now())
  }

  async save(owned: RewritableLane, state: BotReview): Promise<void> {
    await this.#registry.botReviews.put(state.app, botReviewId(state), state)
    this.#set(owned, state, performance.now())
  }

  /** Caches the progress of a review, and stores it if the last time was long enough ago. */
  async saveSometimes(owned: RewritableLane, state: BotReview): Promise<void> {
    const { savedAt = -Infinity } = this.#cached.get(owned)?.get(state.app) ?? {}
    if (performance.now() - savedAt >= SAVE_MS) await this.save(owned, state)
    else this.#set(owned, state, savedAt)
  }

  /** Stores why a review cannot continue, for those who wait for it. */
  async saveProblem({ app, lane, owned }: AppLane, error: unknown): Promise<void> {
    const problem = error instanceof Error ? error.message : String(error)
    if (!(error instanceof Postponed))
      this.#logger?.error({ lane, app: app.id, err: error }, 'bots could not be reviewed and will be tried again')
    // The state in memory may be ahead of the stored one, or behind it.
    this.#cached.get(owned)?.delete(app.id)
    const id = botReviewId({ app: app.id, lane })
    try {
      const state = await this.#registry.botReviews.get(app.id, id)
      if (state && state.problem !== problem) await this.#registry.botReviews.put(app.id, id, { ...state, problem })
    } catch (cause) {
      this.#logger?.error({ lane, err: cause }, 'the state of a review of bots could not be stored')
    }
  }

  pauseAfter({ app, owned }: AppLane, tookMs: number): void {
    const apps = this.#cached.get(owned)
    const known = apps?.get(app.id)
    if (known) apps!.set(app.id, { ...known, pausedUntil: performance.now() + tookMs * PAUSE_FACTOR })
  }

  isPaused({ app, owned }: AppLane): boolean {
    return performance.now() < (this.#cached.get(owned)?.get(app.id)?.pausedUntil ?? 0)
  }

  #set(owned: RewritableLane, state: BotReview, savedAt: number): void {
    const apps = this.#cached.get(owned) ?? new Map<string, CachedState>()
    this.#cached.set(owned, apps.set(state.app, { state, savedAt }))
  }
}
