import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { LaneConsumer, LogMessage, PartHealth, Subscription } from '@hopper/storage'
import type { AggregatorOptions } from './aggregator-options.ts'
import { AppCache } from './app-cache.ts'
import { BackgroundWork } from './background-work.ts'
import { ByteBudget } from './lane/deferred/deferred-apps.ts'
import { heavyApps } from './lane/deferred/heavy-apps.ts'
import { LaneTurns } from './lane/lane-turns.ts'
import { memoryShares, defaultMemoryBytes, type MemoryShares } from './memory/memory-shares.ts'
import { MemoryWatch, type MemoryLevel } from './memory/memory-watch.ts'
import { MessageGate } from './memory/message-gate.ts'
import { AggregatorMetrics, type MemoryUse } from './metrics.ts'
import { OwnedLane, type Reached } from './lane/owned-lane.ts'
import { PieceSize } from './lane/piece-size.ts'
import { IdentifiedDevices } from './seen/identified-devices.ts'
import { SeenFilters } from './seen/seen-filters.ts'

const TICK_MS = 1_000
/** pause before each batch while too much memory is used */
const SLOW_MS = 200
const REREAD_MESSAGES = 500
/** With more deferred apps than this, no app is recorded as ahead of them: the record of a lane stays small. */
const BEHIND_APPS_MAX = 100

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
  readonly #background: BackgroundWork
  /** counts messages of deferred apps */
  readonly #catchUp = new LaneTurns<OwnedLane>((owned) => this.#countDeferred(owned))
  readonly #piece = new PieceSize()
  readonly #ownedLanes = new Map<number, OwnedLane>()
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
    const parts = { apps: this.#apps, seen: this.#seen, metrics: this.#metrics }
    this.#background = new BackgroundWork(options, parts, () => this.#ownedLanes)
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
    await Promise.all([this.#background.close(), this.#catchUp.close()])
  }

  /** Merges spans of the owned lanes until nothing is left to merge now. Merging runs by itself; this waits for it. */
  merge(): Promise<void> {
    return this.#background.merge()
  }

  /**
   * Writes out the packed visitors of large batches of the owned lanes that are due. This runs by itself; the call
   * waits for it.
   */
  writeOut(): Promise<void> {
    return this.#background.writeOut()
  }

  /**
   * Counts the past of new stages in the owned lanes, as far as possible now. This runs by itself; the call waits for
   * it.
   */
  backfill(): Promise<void> {
    return this.#background.backfill()
  }

  /**
   * Works on requests to forget a person in the owned lanes, as far as possible now. This runs by itself; the call
   * waits for it.
   */
  forget(): Promise<void> {
    return this.#background.forget()
  }

  /**
   * Lets old events of apps expire in the owned lanes, as far as possible now. This runs by itself; the call waits for
   * it.
   */
  expire(): Promise<void> {
    return this.#background.expire()
  }

  /**
   * Reviews who is a bot among the events of the owned lanes, as far as possible now; resolves with whether every event
   * that was counted has its verdict. This runs by itself; the call waits for it.
   */
  reviewBots(): Promise<boolean> {
    return this.#background.reviewBots()
  }

  /**
   * Counts messages of deferred apps in the owned lanes, as far as possible now. This runs by itself; the call waits
   * for it.
   */
  catchUp(): Promise<void> {
    return this.#catchUp.run(() => this.#ownedLanes.values())
  }

  async assigned(lane: number): Promise<number> {
    return (await this.#take(lane)).position
  }

  async batch(lane: number, messages: readonly LogMessage[]): Promise<void> {
    const started = performance.now()
    try {
      const owned = await (this.#takingAgain.get(lane) ??
        this.#ownedLanes.get(lane) ??
        this.#takeAgain(lane, messages[0]!.position))
      if (this.#watch.level === 'over' && !owned.isDeferring) await this.#slowDown(owned)
      const applied = await owned.apply(messages)
      if (owned.isDeferring) void this.catchUp()
      // The batch was counted in time, but the lease was lost before it was archived: it must be delivered again.
      if (this.#ownedLanes.get(lane) !== owned)
        throw new HopperError('HOP_STORE_UNAVAILABLE', `The lease of lane ${lane} has run out.`)
      this.#metrics?.applied(lane, applied, owned.counted, (performance.now() - started) / 1000)
    } catch (error) {
      // Keeps a lease that is still valid: once given up, it could only be taken again after it expires. What a failed
      // write has changed is read from the tables again.
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
    const owned = this.#ownedLanes.get(lane)
    this.#ownedLanes.delete(lane)
    if (!owned) return
    try {
      await owned.merges?.close()
      await Promise.all([this.#background.whenIdle(lane), this.#catchUp.whenIdle(lane)])
      await this.#commit(owned, await owned.archive())
      await this.#options.lanes.release(owned.lease)
    } catch (error) {
      // The next owner waits for the lease to expire and reads from an earlier position: slower, but equally exact.
      this.#options.logger?.error({ lane, err: error }, 'a lane could not be released')
    } finally {
      owned.close()
    }
  }

  async #take(lane: number): Promise<OwnedLane> {
    const { lanes, owner, writer, archive, archiveMs = 0, archiveBacklogMs, watermarkCheck = true } = this.#options
    const lease = await lanes.acquire(lane, owner)
    await this.#countApps()
    const position = (await lanes.positions())[lane] ?? 0
    this.#seen.forget(lane)
    this.#identified.forget(lane)
    this.#apps.clear()
    const owned = new OwnedLane(lease, position, {
      writer,
      seen: this.#seen,
      identified: this.#identified,
      archive,
      archiveHeld: { fresh: archiveMs, backlog: archiveBacklogMs },
      rowBytesMax: () => this.#rowBytesMax(),
      gate: this.#gate,
      merges: this.#background.mergesOf(lane),
      watermarkCheck,
      appOf: (id) => this.#apps.get(id, lane),
      log: this.#options.log,
      deferredGate: this.#deferredGate,
      held: this.#held,
      mayDefer: () => this.#apps.count > 1,
      chooseDeferred: this.#options.chooseDeferred ?? heavyApps,
    })
    await this.#ownedLanes.get(lane)?.merges?.close()
    await this.#background.recover(lane, owned)
    this.#ownedLanes.set(lane, owned)
    this.#expired.delete(lane)
    this.#options.logger?.info({ lane, epoch: lease.epoch, position }, 'lane taken')
    return owned
  }

  #takeAgain(lane: number, until: number): Promise<OwnedLane> {
    const taking = this.#readAgain(lane, until).finally(() => this.#takingAgain.delete(lane))
    this.#takingAgain.set(lane, taking)
    return taking
  }

  /**
   * Reads the lane again from its committed position: events that were not archived before the lease expired were
   * dropped from memory.
   */
  async #readAgain(lane: number, until: number): Promise<OwnedLane> {
    const owned = await this.#take(lane)
    if (!this.#options.archive) return owned
    try {
      while (owned.position < until) {
        const missed = await this.#options.log.read(
          lane,
          owned.position,
          Math.min(REREAD_MESSAGES, until - owned.position),
        )
        if (missed.length === 0) break
        await owned.apply(missed)
      }
    } catch (error) {
      this.#ownedLanes.delete(lane)
      this.#expired.set(lane, until)
      throw error
    }
    return owned
  }

  #forgetExpired(lane: number): void {
    const owned = this.#ownedLanes.get(lane)
    if (!owned?.isExpired) return
    this.#ownedLanes.delete(lane)
    void this.#catchUp.whenIdle(lane).then(() => owned.close())
    this.#expired.set(lane, owned.position)
  }

  /**
   * Takes lanes again whose lease has expired. It does not wait for their next message, which may never come: events
   * that were read before still have to be archived.
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
   * at the next tick.
   */
  async #countDeferred(owned: OwnedLane): Promise<boolean> {
    const {
      lease: { lane },
    } = owned
    const started = performance.now()
    this.#piece.begin()
    try {
      if (owned.isDeferring && this.#watch.level === 'over') await this.#slowDown(owned)
      const counted = await owned.countDeferred(this.#piece.bytes)
      if (counted) this.#metrics?.applied(lane, counted, owned.counted, (performance.now() - started) / 1000)
      return counted !== undefined
    } catch (error) {
      this.#forgetExpired(lane)
      this.#metrics?.failed()
      const message = 'events of an app that is behind were not counted and will be counted later'
      this.#options.logger?.error({ lane, position: owned.counted, err: error }, message)
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
      [...this.#ownedLanes]
        .filter(([, owned]) => owned.shouldRenew)
        .map(async ([lane, owned]) => {
          try {
            owned.lease = await this.#options.lanes.renew(owned.lease)
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
    return this.#shares.rows / Math.max(1, this.#ownedLanes.size) / (this.#watch.level === 'within' ? 1 : 4)
  }

  /**
   * Slows down while the memory budget is exceeded: archives the buffered rows first and gives the garbage collector
   * time.
   */
  async #slowDown(owned: OwnedLane): Promise<void> {
    await owned.archive()
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
    const rows = [...this.#ownedLanes.values()].reduce((sum, { rowBytes }) => sum + rowBytes, 0)
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
      [...this.#ownedLanes].map(async ([lane, owned]) => {
        try {
          const reached = await owned.archiveDue()
          if (reached) await this.#commit(owned, reached)
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
    this.#background.start()
  }

  async #commit(owned: OwnedLane, { position, ahead }: Reached): Promise<void> {
    if (position !== owned.committed) {
      await this.#options.lanes.commit(owned.lease, position)
      owned.committed = position
    }
    if (!ahead || ahead.behind.size > BEHIND_APPS_MAX) return
    const { lane } = owned.lease
    const record = { lane, position, ahead: ahead.position, behind: Object.fromEntries(ahead.behind) }
    const text = JSON.stringify(record)
    if (owned.aheadCommitted === text) return
    await this.#options.registry.ahead.put('', String(lane), record)
    owned.aheadCommitted = text
  }

  /** Lag of each owned lane: the number of positions between what is counted and the end of the log. */
  async #lags(): Promise<ReadonlyMap<number, number>> {
    const ends = await this.#options.log.ends()
    return new Map([...this.#ownedLanes].map(([lane, { counted }]) => [lane, Math.max(0, (ends[lane] ?? 0) - counted)]))
  }
}
