import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type {
  Archive,
  PartHealth,
  EventLog,
  LaneConsumer,
  Lanes,
  LogMessage,
  Registry,
  Scrubbed,
  Subscription,
  TableReader,
  TableWriter,
} from '@hopper/storage'
import type { Registry as MetricsRegistry } from 'prom-client'
import { AppCache } from './app-cache.ts'
import { BotReviews } from './bots/bot-reviews.ts'
import { Backfills } from './backfill/backfills.ts'
import { Forgets } from './forget/forgets.ts'
import { Retentions } from './retention/retentions.ts'
import { backgroundWriteOut } from './lane/background-write-out.ts'
import { ByteBudget } from './lane/deferred-apps.ts'
import { heavyApps, type ChooseDeferred } from './lane/heavy-apps.ts'
import { LaneTurns } from './lane/lane-turns.ts'
import { BackgroundMerges } from './merge/background-merges.ts'
import { memoryShares, defaultMemoryBytes, type MemoryShares } from './memory/memory-shares.ts'
import { MemoryWatch, type MemoryLevel } from './memory/memory-watch.ts'
import { MessageGate } from './memory/message-gate.ts'
import type { SpanMerger } from './merge/merge-thread.ts'
import { AggregatorMetrics, type MemoryUse } from './metrics.ts'
import { OwnedLane, type Reached } from './lane/owned-lane.ts'
import { PieceSize } from './lane/piece-size.ts'
import { IdentifiedDevices } from './seen/identified-devices.ts'
import { SeenFilters } from './seen/seen-filters.ts'

const TICK_MS = 1_000
/** pause before each batch while too much memory is used */
const SLOW_MS = 200
const REREAD_MESSAGES = 500
/** With more deferred apps than this, none is said to be ahead of them: the record of a lane stays small. */
const BEHIND_APPS_MAX = 100

/** Logger of the aggregator; the process decides where its lines go. */
export interface AggregatorLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export interface AggregatorOptions {
  readonly log: EventLog
  readonly writer: TableWriter
  /** archive of the events; without it only the tables are written */
  readonly archive?: Archive
  /** maximum time that events are buffered before they are archived together; 0 means a second or less */
  readonly archiveMs?: number
  /** with a reader and an archive, tables of new funnels are counted for the past */
  readonly reader?: TableReader
  /** interval between two checks for new stages */
  readonly backfillCheckMs?: number
  /** with this, a reader and an archive, requests to forget a person are worked on */
  readonly forgets?: {
    /** see `Storage.scrub` */
    readonly scrub?: (() => Promise<Scrubbed>) | undefined
    /** interval between two checks for requests */
    readonly lookMs?: number
  }
  /** with this, a reader and an archive, old events of apps expire */
  readonly retention?: {
    /** interval between two checks for dates that have expired */
    readonly checkMs?: number
    /** time between the decision and the first removal */
    readonly settleMs?: number
    /** returns the time (ms since the epoch) */
    readonly now?: () => number
  }
  /** with this, a reader and an archive, every session gets one verdict about whether it is a bot's */
  readonly bots?: {
    /** interval between two reviews */
    readonly checkMs?: number
  }
  readonly lanes: Lanes
  readonly registry: Registry
  /** the name of this process among the owners of lanes */
  readonly owner: string
  readonly metrics?: MetricsRegistry
  readonly logger?: AggregatorLogger
  /** false only in the control of the fault test: redelivered messages are counted again */
  readonly watermarkCheck?: boolean
  /** memory of the filters that recognize new ids without a look-up, in bytes; a share of `memoryBytes` by default */
  readonly seenBytesMax?: number
  /** memory budget of the process, in bytes; by default a share of the available memory */
  readonly memoryBytes?: number
  /** returns the bytes in use now; the resident set size by default */
  readonly memoryUsed?: () => number
  /**
   * chooses the apps that are counted in turns of their own so that others need not wait; by default those with a large
   * backlog
   */
  readonly chooseDeferred?: ChooseDeferred
  /** memory of buffered messages of deferred apps, in bytes; a share of `memoryBytes` by default */
  readonly heldBytesMax?: number
  /** merges spans of the archive; by default in a thread of its own */
  readonly merger?: SpanMerger
}

/**
 * Reads the log: turns the messages of every lane that it owns into changes of the tables, each message exactly once.
 */
export class Aggregator implements LaneConsumer {
  readonly #options: AggregatorOptions
  readonly #metrics: AggregatorMetrics | undefined
  readonly #shares: MemoryShares
  readonly #gate: MessageGate
  readonly #deferredGate: MessageGate
  readonly #held: ByteBudget
  readonly #watch: MemoryWatch
  readonly #seen: SeenFilters
  readonly #identified: IdentifiedDevices
  readonly #merges: BackgroundMerges | undefined
  readonly #packed: ReturnType<typeof backgroundWriteOut>
  /** counts messages of deferred apps */
  readonly #catchUp = new LaneTurns<OwnedLane>((own) => this.#countDeferred(own))
  readonly #piece = new PieceSize()
  readonly #backfills: Backfills | undefined
  readonly #forgets: Forgets | undefined
  readonly #retentions: Retentions | undefined
  readonly #bots: BotReviews | undefined
  #changing: Promise<void> | undefined
  readonly #own = new Map<number, OwnedLane>()
  /** assigned lanes whose lease has expired, with the position up to which they had been read */
  readonly #expired = new Map<number, number>()
  readonly #takingAgain = new Map<number, Promise<OwnedLane>>()
  readonly #apps: AppCache
  #subscription: Subscription | undefined
  #timers: readonly NodeJS.Timeout[] = []
  #ticking: Promise<void> = Promise.resolve()
  #renewing: Promise<void> = Promise.resolve()

  constructor(options: AggregatorOptions) {
    this.#options = options
    this.#apps = new AppCache(options.registry)
    const shares = (this.#shares = memoryShares(options.memoryBytes ?? defaultMemoryBytes()))
    this.#gate = new MessageGate(shares.messages)
    this.#deferredGate = new MessageGate(shares.deferred)
    this.#held = new ByteBudget(options.heldBytesMax ?? shares.held)
    this.#watch = new MemoryWatch(shares.total, (level, used) => this.#crossed(level, used), options.memoryUsed)
    this.#metrics =
      options.metrics &&
      new AggregatorMetrics(
        options.metrics,
        () => this.#lags(),
        () => this.#memory(),
        () => this.#watch.overSeconds,
      )
    this.#seen = new SeenFilters(options.writer, options.seenBytesMax ?? shares.seen)
    this.#identified = new IdentifiedDevices(options.writer, shares.identified)
    const { archive, registry, reader, writer, log, merger, logger } = options
    this.#packed = backgroundWriteOut({
      writer: options.writer,
      logger,
      wroteOut: (each) => this.#metrics?.wroteOut(each),
    })
    const forgetApps = (): void => this.#apps.clear()
    this.#backfills =
      archive &&
      reader &&
      new Backfills({ archive, reader, writer, registry, log, logger, forgetApps, checkMs: options.backfillCheckMs })
    const { forgets, lanes, retention } = options
    this.#forgets =
      forgets &&
      archive &&
      reader &&
      new Forgets({
        ...{ archive, reader, writer, registry, log, lanes, logger, forgetApps },
        seen: this.#seen,
        appOf: (id, lane) => this.#apps.get(id, lane),
        scrub: forgets.scrub,
        lookMs: forgets.lookMs,
      })
    this.#retentions =
      retention &&
      archive &&
      reader &&
      new Retentions({
        ...{ archive, reader, writer, registry, log, lanes, logger, forgetApps },
        appOf: (id, lane) => this.#apps.get(id, lane),
        ...retention,
      })
    const { bots } = options
    this.#bots =
      bots &&
      archive &&
      reader &&
      new BotReviews({
        ...{ archive, reader, writer, registry, log, logger, forgetApps },
        appOf: (id, lane) => this.#apps.get(id, lane),
        checkMs: bots.checkMs,
      })
    const apps = async (): Promise<string[]> => (await registry.apps.list()).map(({ id }) => id)
    this.#merges =
      archive &&
      new BackgroundMerges({ archive, apps, merger, logger, onMerged: (each) => this.#metrics?.merged(each) })
  }

  /** Reports the state of the memory budget. */
  health(): PartHealth {
    return this.#watch.health()
  }

  async start(): Promise<void> {
    this.#timers = [
      setInterval(() => void (this.#renewing = this.#renewing.then(() => this.#renew())), TICK_MS),
      setInterval(() => void (this.#ticking = this.#ticking.then(() => this.#tick())), TICK_MS),
    ]
    try {
      this.#subscription = await this.#options.log.subscribe(this)
    } catch (error) {
      this.#stopTimers()
      throw error
    }
  }

  /** Finishes the batches in flight, commits the positions and releases the lanes. */
  async close(): Promise<void> {
    this.#stopTimers()
    await Promise.all([this.#ticking, this.#renewing])
    await this.#subscription?.close()
    const background = [
      this.#merges,
      this.#packed,
      this.#backfills,
      this.#forgets,
      this.#retentions,
      this.#bots,
      this.#catchUp,
    ]
    await Promise.all(background.flatMap((each) => (each ? [each.close()] : [])))
  }

  /** Merges spans of the owned lanes until nothing is left to merge now. Merging runs by itself; this waits for it. */
  merge(): Promise<void> {
    return this.#merges?.run(() => this.#own.values()) ?? Promise.resolve()
  }

  /**
   * Writes out the packed visitors of large batches of the owned lanes that are due. This runs by itself; the call
   * waits for it.
   */
  writeOut(): Promise<void> {
    return this.#packed.run(() => this.#own.values())
  }

  /**
   * Counts the past of new stages in the owned lanes, as far as possible now. This runs by itself; the call waits for
   * it.
   */
  backfill(): Promise<void> {
    return this.#backfills?.run(() => this.#own) ?? Promise.resolve()
  }

  /**
   * Works on requests to forget a person in the owned lanes, as far as possible now. This runs by itself; the call
   * waits for it.
   */
  forget(): Promise<void> {
    return this.#forgets?.run(() => this.#own) ?? Promise.resolve()
  }

  /**
   * Lets old events of apps expire in the owned lanes, as far as possible now. This runs by itself; the call waits for
   * it.
   */
  expire(): Promise<void> {
    return this.#retentions?.run(() => this.#own) ?? Promise.resolve()
  }

  /**
   * Reviews who is a bot among the events of the owned lanes, as far as possible now; resolves with whether every event
   * that was counted has its verdict. This runs by itself; the call waits for it.
   */
  reviewBots(): Promise<boolean> {
    return this.#bots?.run(() => this.#own) ?? Promise.resolve(true)
  }

  /** Changes what was counted, one kind of change after the other: each rewrites the archive and recounts dates. */
  #change(): Promise<void> {
    this.#changing ??= this.forget()
      .then(() => this.expire())
      .then(async () => void (await this.reviewBots()))
      .finally(() => (this.#changing = undefined))
    return this.#changing
  }

  /**
   * Counts messages of deferred apps in the owned lanes, as far as possible now. This runs by itself; the call waits
   * for it.
   */
  catchUp(): Promise<void> {
    return this.#catchUp.run(() => this.#own.values())
  }

  async assigned(lane: number): Promise<number> {
    return (await this.#take(lane)).position
  }

  async batch(lane: number, messages: readonly LogMessage[]): Promise<void> {
    const started = performance.now()
    try {
      const own = await (this.#takingAgain.get(lane) ??
        this.#own.get(lane) ??
        this.#takeAgain(lane, messages[0]!.position))
      if (this.#watch.level === 'over' && !own.isDeferring) await this.#slowDown(own)
      const applied = await own.apply(messages)
      if (own.isDeferring) void this.catchUp()
      // The batch was counted in time, but the lease was lost before it was archived: it must be delivered again.
      if (this.#own.get(lane) !== own)
        throw new HopperError('HOP_STORE_UNAVAILABLE', `The lease of lane ${lane} has run out.`)
      this.#metrics?.applied(lane, applied, own.counted, (performance.now() - started) / 1000)
    } catch (error) {
      // Keeps a lease that is still valid: after giving it up, we would have to wait until it expires. The effects of a
      // failed write are read again.
      this.#forgetExpired(lane)
      this.#metrics?.failed()
      this.#options.logger?.error(
        { lane, position: messages[0]?.position, err: error },
        'a batch was not counted and will be delivered again',
      )
      throw error
    }
  }

  async revoked(lane: number): Promise<void> {
    await this.#takingAgain.get(lane)?.catch(() => undefined)
    this.#expired.delete(lane)
    const own = this.#own.get(lane)
    this.#own.delete(lane)
    if (!own) return
    try {
      await own.merges?.close()
      const background = [this.#packed, this.#backfills, this.#forgets, this.#retentions, this.#bots, this.#catchUp]
      await Promise.all(background.flatMap((each) => (each ? [each.whenIdle(lane)] : [])))
      await this.#commit(own, await own.archive())
      await this.#options.lanes.release(own.lease)
    } catch (error) {
      // The next owner waits for the lease to expire and reads from an earlier position: slower, but equally exact.
      this.#options.logger?.error({ lane, err: error }, 'a lane could not be released')
    } finally {
      own.close()
    }
  }

  async #take(lane: number): Promise<OwnedLane> {
    const { lanes, owner, writer, archive, archiveMs = 0, watermarkCheck = true } = this.#options
    const lease = await lanes.acquire(lane, owner)
    await this.#countApps()
    const position = (await lanes.positions())[lane] ?? 0
    this.#seen.forget(lane)
    this.#identified.forget(lane)
    this.#apps.clear()
    const own = new OwnedLane(lease, position, {
      writer,
      seen: this.#seen,
      identified: this.#identified,
      archive,
      archiveMs,
      rowBytesMax: () => this.#rowBytesMax(),
      gate: this.#gate,
      merges: this.#merges?.of(lane),
      watermarkCheck,
      appOf: (id) => this.#apps.get(id, lane),
      log: this.#options.log,
      deferredGate: this.#deferredGate,
      held: this.#held,
      mayDefer: () => this.#apps.count > 1,
      chooseDeferred: this.#options.chooseDeferred ?? heavyApps,
    })
    await this.#own.get(lane)?.merges?.close()
    await this.#forgets?.recover(lane, own)
    this.#own.set(lane, own)
    this.#expired.delete(lane)
    this.#options.logger?.info({ lane, epoch: lease.epoch, position }, 'lane taken')
    return own
  }

  #takeAgain(lane: number, until: number): Promise<OwnedLane> {
    const taking = this.#readAgain(lane, until).finally(() => this.#takingAgain.delete(lane))
    this.#takingAgain.set(lane, taking)
    return taking
  }

  /**
   * Reads the lane again from its committed position: with the expired lease, the events that were not archived yet are
   * lost from memory.
   */
  async #readAgain(lane: number, until: number): Promise<OwnedLane> {
    const own = await this.#take(lane)
    if (!this.#options.archive) return own
    try {
      while (own.position < until) {
        const missed = await this.#options.log.read(lane, own.position, Math.min(REREAD_MESSAGES, until - own.position))
        if (missed.length === 0) break
        await own.apply(missed)
      }
    } catch (error) {
      this.#own.delete(lane)
      this.#expired.set(lane, until)
      throw error
    }
    return own
  }

  #forgetExpired(lane: number): void {
    const own = this.#own.get(lane)
    if (!own?.isExpired) return
    this.#own.delete(lane)
    void this.#catchUp.whenIdle(lane).then(() => own.close())
    this.#expired.set(lane, own.position)
  }

  /**
   * Takes lanes whose lease has expired again, without waiting for their next message, which may never come: the events
   * that were read are not in the archive yet.
   */
  #takeExpired(): void {
    for (const [lane, until] of this.#expired) {
      if (this.#takingAgain.has(lane)) continue
      this.#takeAgain(lane, until).catch((error: unknown) =>
        this.#options.logger?.error({ lane, err: error }, 'a lane whose lease ran out could not be taken again'),
      )
    }
  }

  /**
   * Counts one piece of the deferred messages of a lane; returns whether there may be more. A failed piece is retried
   * with the next tick.
   */
  async #countDeferred(own: OwnedLane): Promise<boolean> {
    const {
      lease: { lane },
    } = own
    const started = performance.now()
    this.#piece.begin()
    try {
      if (own.isDeferring && this.#watch.level === 'over') await this.#slowDown(own)
      const counted = await own.countDeferred(this.#piece.bytes)
      if (counted) this.#metrics?.applied(lane, counted, own.counted, (performance.now() - started) / 1000)
      return counted !== undefined
    } catch (error) {
      this.#forgetExpired(lane)
      this.#metrics?.failed()
      const message = 'events of an app that is behind were not counted and will be counted later'
      this.#options.logger?.error({ lane, position: own.counted, err: error }, message)
      return false
    } finally {
      this.#piece.end()
    }
  }

  /** Updates the number of apps: only with several apps can one delay another. */
  async #countApps(): Promise<void> {
    try {
      await this.#apps.refreshCount()
    } catch (error) {
      this.#options.logger?.error({ err: error }, 'the number of apps could not be read; it is retried later')
    }
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /**
   * Renews leases each second, however long batches and the archive take: a lane whose lease has expired must be read
   * again.
   */
  async #renew(): Promise<void> {
    await Promise.all(
      [...this.#own]
        .filter(([, own]) => own.shouldRenew)
        .map(async ([lane, own]) => {
          try {
            own.lease = await this.#options.lanes.renew(own.lease)
          } catch (error) {
            // Nobody else can write the lane until the lease expires, so there is time to retry.
            this.#forgetExpired(lane)
            this.#options.logger?.error({ lane, err: error }, 'a lease could not be renewed')
          }
        }),
    )
  }

  /** Memory limit of the rows of a lane before they are archived, in bytes. When memory is short, less is buffered. */
  #rowBytesMax(): number {
    return this.#shares.rows / Math.max(1, this.#own.size) / (this.#watch.level === 'within' ? 1 : 4)
  }

  /**
   * Slows down while the memory budget is exceeded: archives the buffered rows first and gives the garbage collector
   * time.
   */
  async #slowDown(own: OwnedLane): Promise<void> {
    await own.archive()
    await pause(SLOW_MS)
  }

  #crossed(level: MemoryLevel, used: number): void {
    const details = { memory: { ...this.#memory(), resident: used } }
    if (level === 'within') this.#options.logger?.info(details, 'the memory in use is well within its bound again')
    else if (level === 'near')
      this.#options.logger?.warn(details, 'the memory in use is near its bound (HOPPER_MEMORY_MB): less is held back')
    else
      this.#options.logger?.warn(
        details,
        'more memory is in use than HOPPER_MEMORY_MB allows: events are taken more slowly',
      )
  }

  #memory(): MemoryUse {
    const rows = [...this.#own.values()].reduce((sum, { rowBytes }) => sum + rowBytes, 0)
    const [seen, identified] = [this.#seen.bytes, this.#identified.bytes]
    const messages = this.#gate.bytes + this.#deferredGate.bytes + this.#held.used
    return { total: this.#shares.total, resident: this.#watch.used, rows, messages, seen, identified }
  }

  /**
   * Each second, archives buffered events and commits how far the lanes have been read. The commit is a hint: the
   * watermarks are authoritative.
   */
  async #tick(): Promise<void> {
    this.#watch.measure()
    await Promise.all(
      [...this.#own].map(async ([lane, own]) => {
        try {
          const reached = await own.archiveDue()
          if (reached) await this.#commit(own, reached)
        } catch (error) {
          this.#forgetExpired(lane)
          this.#options.logger?.error(
            { lane, err: error },
            'events could not be archived, or the position not committed',
          )
        }
      }),
    )
    this.#takeExpired()
    void this.#countApps()
    void this.catchUp()
    void this.merge()
    void this.writeOut()
    void this.backfill()
    void this.#change()
  }

  async #commit(own: OwnedLane, { position, ahead }: Reached): Promise<void> {
    if (position !== own.committed) {
      await this.#options.lanes.commit(own.lease, position)
      own.committed = position
    }
    if (!ahead || ahead.behind.size > BEHIND_APPS_MAX) return
    const { lane } = own.lease
    const record = { lane, position, ahead: ahead.position, behind: Object.fromEntries(ahead.behind) }
    const text = JSON.stringify(record)
    if (own.aheadCommitted === text) return
    await this.#options.registry.ahead.put('', String(lane), record)
    own.aheadCommitted = text
  }

  /** Lag of each owned lane: the number of positions between what is counted and the end of the log. */
  async #lags(): Promise<ReadonlyMap<number, number>> {
    const ends = await this.#options.log.ends()
    return new Map([...this.#own].map(([lane, { counted }]) => [lane, Math.max(0, (ends[lane] ?? 0) - counted)]))
  }
}
