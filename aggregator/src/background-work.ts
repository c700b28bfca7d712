import type { AggregatorOptions } from './aggregator-options.ts'
import type { AppCache } from './app-cache.ts'
import { Backfills } from './backfill/backfills.ts'
import { BotReviews } from './bots/bot-reviews.ts'
import { Forgets, type ForgetsOptions } from './forget/forgets.ts'
import { backgroundWriteOut } from './lane/background-write-out.ts'
import type { OwnedLane } from './lane/owned-lane.ts'
import { BackgroundMerges } from './merge/background-merges.ts'
import type { LaneMerges } from './merge/lane-merges.ts'
import type { AggregatorMetrics } from './metrics.ts'
import { Retentions } from './retention/retentions.ts'
import type { SeenFilters } from './seen/seen-filters.ts'

/** Parts of an aggregator that its background work shares with counting. */
export interface SharedParts {
  readonly apps: AppCache
  readonly seen: SeenFilters
  readonly metrics: AggregatorMetrics | undefined
}

/**
 * The work of an aggregator on its owned lanes apart from counting: merging spans, writing out packed visitors,
 * counting the past of new stages, forgetting persons, retention, and reviewing bots. Parts that the options do not
 * enable do nothing.
 */
export class BackgroundWork {
  readonly #lanes: () => ReadonlyMap<number, OwnedLane>
  readonly #merges: BackgroundMerges | undefined
  readonly #packed: ReturnType<typeof backgroundWriteOut>
  readonly #backfills: Backfills | undefined
  readonly #forgets: Forgets | undefined
  readonly #retentions: Retentions | undefined
  readonly #bots: BotReviews | undefined
  #changing: Promise<void> | undefined

  constructor(
    options: AggregatorOptions,
    { apps, seen, metrics }: SharedParts,
    lanes: () => ReadonlyMap<number, OwnedLane>,
  ) {
    this.#lanes = lanes
    const { archive, reader, writer, registry, log, logger, merger, forgets, retention, bots } = options
    this.#packed = backgroundWriteOut({ writer, logger, wroteOut: (each) => metrics?.wroteOut(each) })
    if (!archive) return
    const appIds = async (): Promise<string[]> => (await registry.apps.list()).map(({ id }) => id)
    this.#merges = new BackgroundMerges({
      ...{ archive, apps: appIds, merger, logger },
      onMerged: (each) => metrics?.merged(each),
    })
    if (!reader) return
    const shared = { archive, reader, writer, registry, log, logger, clearAppCache: () => apps.clear() }
    const appOf: ForgetsOptions['appOf'] = (id, lane) => apps.get(id, lane)
    this.#backfills = new Backfills({ ...shared, checkMs: options.backfillCheckMs })
    if (forgets) {
      const { scrub, checkMs } = forgets
      this.#forgets = new Forgets({ ...shared, lanes: options.lanes, seen, appOf, scrub, checkMs })
    }
    if (retention) this.#retentions = new Retentions({ ...shared, lanes: options.lanes, appOf, ...retention })
    if (bots) this.#bots = new BotReviews({ ...shared, appOf, checkMs: bots.checkMs })
  }

  /** Starts everything that is not running, without waiting for it. */
  start(): void {
    void this.merge()
    void this.writeOut()
    void this.backfill()
    void this.#change()
  }

  merge(): Promise<void> {
    return this.#merges?.run(() => this.#lanes().values()) ?? Promise.resolve()
  }

  writeOut(): Promise<void> {
    return this.#packed.run(() => this.#lanes().values())
  }

  backfill(): Promise<void> {
    return this.#backfills?.run(this.#lanes) ?? Promise.resolve()
  }

  forget(): Promise<void> {
    return this.#forgets?.run(this.#lanes) ?? Promise.resolve()
  }

  expire(): Promise<void> {
    return this.#retentions?.run(this.#lanes) ?? Promise.resolve()
  }

  reviewBots(): Promise<boolean> {
    return this.#bots?.run(this.#lanes) ?? Promise.resolve(true)
  }

  /** Changes what was counted, one kind of change after the other: each rewrites the archive and recounts dates. */
  #change(): Promise<void> {
    this.#changing ??= this.forget()
      .then(() => this.expire())
      .then(async () => void (await this.reviewBots()))
      .finally(() => (this.#changing = undefined))
    return this.#changing
  }

  mergesOf(lane: number): LaneMerges | undefined {
    return this.#merges?.of(lane)
  }

  /** @see Forgets.recover */
  async recover(lane: number, owned: OwnedLane): Promise<void> {
    await this.#forgets?.recover(lane, owned)
  }

  /** Resolves when no background write to a lane is in flight; its merges are closed separately. */
  async whenIdle(lane: number): Promise<void> {
    const all = [this.#packed, this.#backfills, this.#forgets, this.#retentions, this.#bots]
    await Promise.all(all.flatMap((each) => (each ? [each.whenIdle(lane)] : [])))
  }

  async close(): Promise<void> {
    const all = [this.#merges, this.#packed, this.#backfills, this.#forgets, this.#retentions, this.#bots]
    await Promise.all(all.flatMap((each) => (each ? [each.close()] : [])))
  }
}
