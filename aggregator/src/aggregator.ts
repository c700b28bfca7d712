import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, StageMatcher } from '@hopper/contracts'
import type {
  Archive,
  PartHealth,
  EventLog,
  LaneConsumer,
  Lanes,
  LogMessage,
  Registry,
  Subscription,
  TableReader,
  TableWriter,
} from '@hopper/storage'
import type { Registry as MetricsRegistry } from 'prom-client'
import { Backfills } from './backfill/backfills.ts'
import { backgroundWriteOut } from './lane/background-write-out.ts'
import { HeldBytes } from './lane/deferred-apps.ts'
import { heavyApps, type ChooseDeferred } from './lane/heavy-apps.ts'
import type { CountedApp } from './judge/judge.ts'
import { LaneTurns } from './lane/lane-turns.ts'
import { BackgroundMerges } from './merge/background-merges.ts'
import { memoryShares, defaultMemoryBytes, type MemoryShares } from './memory/memory-shares.ts'
import { MemoryWatch, type MemoryLevel } from './memory/memory-watch.ts'
import { MessageGate } from './memory/message-gate.ts'
import type { SpanMerger } from './merge/merge-thread.ts'
import { AggregatorMetrics, type MemoryUse } from './metrics.ts'
import { OwnedLane } from './lane/owned-lane.ts'
import { PieceSize } from './lane/piece-size.ts'
import { IdentifiedDevices } from './seen/identified-devices.ts'
import { SeenFilters } from './seen/seen-filters.ts'

const TICK_MS = 1_000
/** pause before each batch while too much memory is used */
const SLOW_MS = 200
const APP_CACHE_MS = 5_000
const REREAD_MESSAGES = 500
const APPS_MAX = 10_000
const APPS_LOOK_MS = 5_000

/** What the aggregator says to whoever keeps the log of the process. */
export interface AggregatorLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export interface AggregatorOptions {
  readonly log: EventLog
  readonly writer: TableWriter
  /** where the events themselves go; without it there are only the tables */
  readonly archive?: Archive
  /** how long events wait for others before they are archived together; a second or less when 0 */
  readonly archiveMs?: number
  /** with it and an archive, tables of new funnels are counted for the past */
  readonly reader?: TableReader
  /** how often new stages are looked for */
  readonly backfillLookMs?: number
  readonly lanes: Lanes
  readonly registry: Registry
  /** the name of this process among the owners of lanes */
  readonly owner: string
  readonly metrics?: MetricsRegistry
  readonly logger?: AggregatorLogger
  /** false only in the control of the fault test: what is delivered again counts again */
  readonly watermarkCheck?: boolean
  /** of that for filters of ids, which tell new ones from repeated ones without a look-up; a share when not given */
  readonly seenBytesMax?: number
  /** memory that the process may take, in bytes; a part of what there is when not given */
  readonly memoryBytes?: number
  /** answers what it takes now; what is resident when not given */
  readonly memoryUsed?: () => number
  /**
   * which apps are counted in turns of their own, so that others need not wait; those with much to count when not given
   */
  readonly chooseDeferred?: ChooseDeferred
  /** of messages of these apps that wait for their turns; a share when not given */
  readonly heldBytesMax?: number
  /** who merges spans of the archive; a thread of its own when not given */
  readonly merger?: SpanMerger
}

/** The log's reader: every lane that is ours becomes changes of the tables, each message exactly once. */
export class Aggregator implements LaneConsumer {
  readonly #options: AggregatorOptions
  readonly #metrics: AggregatorMetrics | undefined
  readonly #shares: MemoryShares
  readonly #gate: MessageGate
  readonly #deferredGate: MessageGate
  readonly #held: HeldBytes
  readonly #watch: MemoryWatch
  readonly #seen: SeenFilters
  readonly #identified: IdentifiedDevices
  readonly #merges: BackgroundMerges | undefined
  readonly #packed: ReturnType<typeof backgroundWriteOut>
  /** counts what is deferred */
  readonly #catchUp = new LaneTurns<OwnedLane>((own) => this.#countDeferred(own))
  readonly #piece = new PieceSize()
  readonly #backfills: Backfills | undefined
  readonly #own = new Map<number, OwnedLane>()
  /** lanes that are given to us, but whose lease has run out: how far they had been read */
  readonly #expired = new Map<number, number>()
  readonly #takingAgain = new Map<number, Promise<OwnedLane>>()
  readonly #apps = new Map<string, { readonly app: Promise<CountedApp | undefined>; readonly until: number }>()
  /** how many apps there were at the last look, and when the next one is due */
  #appCount = 0
  #lookForApps = 0
  #subscription: Subscription | undefined
  #timers: readonly NodeJS.Timeout[] = []
  #ticking: Promise<void> = Promise.resolve()
  #renewing: Promise<void> = Promise.resolve()

  constructor(options: AggregatorOptions) {
    this.#options = options
    const shares = (this.#shares = memoryShares(options.memoryBytes ?? defaultMemoryBytes()))
    this.#gate = new MessageGate(shares.messages)
    this.#deferredGate = new MessageGate(shares.deferred)
    this.#held = new HeldBytes(options.heldBytesMax ?? shares.held)
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
      new Backfills({ archive, reader, writer, registry, log, logger, forgetApps, lookMs: options.backfillLookMs })
    const apps = async (): Promise<string[]> => (await registry.apps.list()).map(({ id }) => id)
    this.#merges =
      archive && new BackgroundMerges({ archive, apps, merger, logger, merged: (each) => this.#metrics?.merged(each) })
  }

  /** How its memory is. */
  health(): PartHealth {
    return this.#watch.health()
  }

  async start(): Promise<void> {
    this.#timers = [
      setInterval(() => (this.#renewing = this.#renewing.then(() => this.#renew())), TICK_MS),
      setInterval(() => (this.#ticking = this.#ticking.then(() => this.#tick())), TICK_MS),
    ]
    try {
      this.#subscription = await this.#options.log.subscribe(this)
    } catch (error) {
      this.#stopTimers()
      throw error
    }
  }

  /** Finishes the batches under way, commits the positions and gives the lanes back. */
  async close(): Promise<void> {
    this.#stopTimers()
    await Promise.all([this.#ticking, this.#renewing])
    await this.#subscription?.close()
    await Promise.all([this.#merges?.close(), this.#packed.close(), this.#backfills?.close(), this.#catchUp.close()])
  }

  /**
   * Merges spans of the lanes that are ours until there is nothing to merge now. It goes on by itself; this waits for
   * it.
   */
  merge(): Promise<void> {
    return this.#merges?.run(() => this.#own.values()) ?? Promise.resolve()
  }

  /** Writes out what was packed by large batches of our lanes and is due. It goes on by itself; this waits for it. */
  writeOut(): Promise<void> {
    return this.#packed.run(() => this.#own.values())
  }

  /** Counts the past of new stages in our lanes, as far as it can be now. It goes on by itself; this waits for it. */
  backfill(): Promise<void> {
    return this.#backfills?.run(() => this.#own) ?? Promise.resolve()
  }

  /** Counts what is deferred in our lanes, as far as it can be now. It goes on by itself; this waits for it. */
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
      // Counted in time, but given up with the lease before it was archived: it must come again.
      if (this.#own.get(lane) !== own)
        throw new HopperError('HOP_STORE_UNAVAILABLE', `The lease of lane ${lane} has run out.`)
      this.#metrics?.applied(lane, applied, own.counted, (performance.now() - started) / 1000)
    } catch (error) {
      // The lease is as good as before, and giving it up would make us wait it out; what a failed write left is read
      // again.
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
      await Promise.all([this.#packed.left(lane), this.#backfills?.left(lane), this.#catchUp.left(lane)])
      await this.#commit(own, await own.archive())
      await this.#options.lanes.release(own.lease)
    } catch (error) {
      // The next owner waits out the lease and reads from an earlier position: slower, and as exact.
      this.#options.logger?.error({ lane, err: error }, 'a lane could not be given back')
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
      appOf: (id) => this.#appOf(id),
      log: this.#options.log,
      deferredGate: this.#deferredGate,
      held: this.#held,
      mayDefer: () => this.#appCount > 1,
      chooseDeferred: this.#options.chooseDeferred ?? heavyApps,
    })
    await this.#own.get(lane)?.merges?.close()
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
   * A lease that ran out took with it what was not archived yet, so the lane is read again from where it was committed.
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
    if (!own?.expired) return
    this.#own.delete(lane)
    void this.#catchUp.left(lane).then(() => own.close())
    this.#expired.set(lane, own.position)
  }

  /**
   * Lanes whose lease has run out, without waiting for their next message, which may never come: what they had read is
   * not in the archive.
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
   * One piece of what a lane has deferred; answers whether there may be more. What fails is tried again with a tick.
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

  /** Only where there are several apps can one delay another. */
  async #countApps(): Promise<void> {
    if (performance.now() < this.#lookForApps) return
    this.#lookForApps = performance.now() + APPS_LOOK_MS
    try {
      this.#appCount = (await this.#options.registry.apps.list()).length
    } catch (error) {
      this.#options.logger?.error({ err: error }, 'the apps could not be counted and will be looked at later')
    }
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /**
   * Each second, however long batches and the archive take meanwhile: a lane whose lease has run out must be read
   * again.
   */
  async #renew(): Promise<void> {
    await Promise.all(
      [...this.#own]
        .filter(([, own]) => own.aging)
        .map(async ([lane, own]) => {
          try {
            own.lease = await this.#options.lanes.renew(own.lease)
          } catch (error) {
            // Until it runs out nobody else can write the lane, so there is time to try again.
            this.#forgetExpired(lane)
            this.#options.logger?.error({ lane, err: error }, 'a lease could not be renewed')
          }
        }),
    )
  }

  /** Memory that rows of a lane may take before they are archived: what is needed elsewhere is not held back. */
  #rowBytesMax(): number {
    return this.#shares.rows / Math.max(1, this.#own.size) / (this.#watch.level === 'within' ? 1 : 4)
  }

  /**
   * Takes less while more memory is used than may be: what is held back goes first, and what is garbage has time to be
   * collected.
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
   * Each second: archive what is held back, and commit how far the lanes have been read (a hint: the truth are the
   * watermarks).
   */
  async #tick(): Promise<void> {
    this.#watch.look()
    await Promise.all(
      [...this.#own].map(async ([lane, own]) => {
        try {
          await this.#commit(own, await own.archiveRipe())
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
  }

  async #commit(own: OwnedLane, position: number): Promise<void> {
    if (position === own.committed) return
    await this.#options.lanes.commit(own.lease, position)
    own.committed = position
  }

  /** How many positions each of our lanes is behind the log. */
  async #lags(): Promise<ReadonlyMap<number, number>> {
    const ends = await this.#options.log.ends()
    return new Map([...this.#own].map(([lane, { counted }]) => [lane, Math.max(0, (ends[lane] ?? 0) - counted)]))
  }

  #appOf(id: string): Promise<CountedApp | undefined> {
    const known = this.#apps.get(id)
    if (known && known.until > performance.now()) return known.app
    if (this.#apps.size >= APPS_MAX) this.#apps.clear()
    const app = this.#readApp(id)
    app.catch(() => this.#apps.delete(id))
    this.#apps.set(id, { app, until: performance.now() + APP_CACHE_MS })
    return app
  }

  async #readApp(id: string): Promise<CountedApp | undefined> {
    const { registry } = this.#options
    const [app, funnels] = await Promise.all([registry.app(id), registry.funnels.list(id)])
    return app && { ...app, stages: new StageMatcher(funnels, app) }
  }
}
