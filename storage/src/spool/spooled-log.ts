import { setTimeout as pause } from 'node:timers/promises'
import { HopperError, laneOf, type Envelope } from '@hopper/contracts'
import type { Appended, EventLog, LaneConsumer, LaneMessage, LogMessage, Subscription } from '../ports/event-log.ts'
import type { PartHealth } from '../ports/storage.ts'
import { DiskSpool, isSpoolDamage, type SpooledRound } from './disk-spool.ts'

export const spoolDefaults = {
  bytesMax: 1_000_000_000,
  patienceMs: 2_000,
  drainPatienceMs: 60_000,
} as const satisfies Partial<SpoolSettings>

export interface SpoolSettings {
  /** directory of the spool, for one process alone */
  readonly dir: string
  /** the lanes of the main log */
  readonly lanes: number
  /** limit on disk, in bytes; at the limit, appends are refused while the main log is unavailable */
  readonly bytesMax: number
  /** time that an append may wait for the main log before it and all later ones go to the spool */
  readonly patienceMs: number
  /** time that the main log has for a drained round before the round is sent again */
  readonly drainPatienceMs: number
  /** continues without the spooled data that the disk has lost, and records the loss */
  readonly acceptLoss?: boolean
}

/** Receives the messages of a spool for the log of the process. */
export interface SpoolLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

/** The amount of data on the local disk that waits for the main log. */
export interface SpoolDepth {
  /** true if appends go to the main log and nothing waits */
  readonly direct: boolean
  readonly messages: number
  readonly bytes: number
  /** since when the main log is unavailable or behind, ms since the epoch */
  readonly since?: number
}

interface Append {
  readonly envelopes: readonly Envelope[]
  readonly startedAt: number
  readonly settled: Promise<readonly Appended[]>
  readonly resolve: (appended: readonly Appended[]) => void
  readonly reject: (error: unknown) => void
}

const ROUND_BYTES_MAX = 1_000_000
const RETRY_MS_FIRST = 100
const RETRY_MS_MAX = 2_000
const CLOSE_MS_MAX = 10_000
/** position of an envelope that is durable here, but not in its lane yet */
const NOT_IN_LANE = -1
const CAUSES_MAX = 5
const CAUSE_CHARS_MAX = 200

/**
 * A log that keeps working without the main log. Envelopes that the main log does not take are synced to the local disk
 * and sent in order when it is back.
 * - `direct`: appends go to the main log. The first append that it refuses, or does not answer in time, moves all
 * appends in flight to the spool.
 * - `spooling`: every append goes to the spool, so that none overtakes those waiting there.
 * - `handing over`: the spool is almost empty. Appends are held during its last round, then go to the main log.
 * An append that resolved before another began precedes it in its lane. The main log may receive a batch more than
 * once, because the outcome of a failed append is unknown: readers fold events by `event_id`. A spooled envelope has no
 * position yet: `append` returns -1 for it.
 */
export class SpooledLog implements EventLog {
  readonly lanes: number
  readonly #settings: SpoolSettings
  readonly #connect: () => Promise<EventLog>
  readonly #logger: SpoolLogger | undefined
  readonly #spool: DiskSpool
  readonly #closing = new AbortController()
  /** appends that wait for the main log, or are held for it, in the order of the calls */
  readonly #inFlight = new Set<Append>()
  #main: EventLog | undefined
  #state: 'direct' | 'spooling' | 'handing over' = 'spooling'
  #since: number | undefined
  /** reason for the failure of the last round; undefined if it succeeded */
  #failure: unknown = 'nothing was drained yet'
  #patience: NodeJS.Timeout | undefined
  #draining: Promise<void> = Promise.resolve()

  private constructor(settings: SpoolSettings, connect: () => Promise<EventLog>, logger: SpoolLogger | undefined) {
    this.lanes = settings.lanes
    this.#settings = settings
    this.#connect = connect
    this.#logger = logger
    this.#spool = new DiskSpool({ ...settings, logger })
    this.#since = this.#spool.oldest
  }

  /**
   * Opens the spool, and opens the main log with `connect`, which is retried until it resolves. Envelopes of a former
   * process are drained first. Resolves without the main log if that does not connect in time.
   * @throws HopperError HOP_CONFIG, also when `connect` does
   */
  static async open(
    settings: SpoolSettings,
    connect: () => Promise<EventLog>,
    logger?: SpoolLogger,
  ): Promise<SpooledLog> {
    const log = new SpooledLog(settings, connect, logger)
    const first = log.#connected()
    try {
      await within(first, settings.patienceMs)
    } catch (error) {
      if (error instanceof HopperError && error.code === 'HOP_CONFIG') {
        await log.close()
        throw error
      }
      log.#since ??= Date.now()
      logger?.error({ err: error }, 'the main log is unavailable, events are spooled')
    }
    if (log.#main && log.#spool.messages === 0) log.#goDirect()
    else log.#draining = log.#drain(first)
    return log
  }

  append(envelopes: readonly Envelope[]): Promise<readonly Appended[]> {
    if (envelopes.length === 0) return Promise.resolve([])
    if (this.#state === 'spooling') return this.#store(envelopes)
    const { promise: settled, resolve, reject } = Promise.withResolvers<readonly Appended[]>()
    const append: Append = { envelopes, startedAt: performance.now(), settled, resolve, reject }
    this.#inFlight.add(append)
    if (this.#state === 'direct') this.#send(append)
    this.#patience ??= this.#watch(this.#settings.patienceMs)
    return settled
  }

  /** Appends to the main log only: import and replay do not use the spool. */
  async appendMessages(messages: readonly LaneMessage[]): Promise<readonly Appended[]> {
    return this.#present().appendMessages(messages)
  }

  async subscribe(consumer: LaneConsumer): Promise<Subscription> {
    return this.#present().subscribe(consumer)
  }

  async read(lane: number, from: number, limit: number, bytesMax?: number): Promise<readonly LogMessage[]> {
    return this.#present().read(lane, from, limit, bytesMax)
  }

  async ends(): Promise<readonly number[]> {
    return this.#present().ends()
  }

  /** The amount of waiting data. Cheap enough for every scrape of the metrics. */
  get depth(): SpoolDepth {
    const direct = this.#state === 'direct'
    if (direct) return { direct, messages: 0, bytes: 0 }
    return {
      direct,
      messages: this.#spool.messages,
      bytes: this.#spool.bytes,
      ...(this.#since === undefined ? {} : { since: this.#since }),
    }
  }

  /** Healthy as long as appends are accepted, by the main log or the spool. */
  async health(): Promise<PartHealth> {
    const { direct, messages, since } = this.depth
    if (direct) return { name: 'log', healthy: true }
    const cause = this.#failure instanceof Error ? `: ${reasonOf(this.#failure)}` : ''
    const start = since === undefined ? '' : ` since ${new Date(since).toISOString()}`
    const waiting = `${messages} messages wait in the spool${start}${cause}`
    return this.#spool.full
      ? { name: 'log', healthy: false, detail: `${waiting}; it is full` }
      : { name: 'log', healthy: true, detail: waiting }
  }

  /** Waits for the appends in flight, not for the spool to drain: its content remains for the next start. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled([...this.#inFlight].map(({ settled }) => settled))
    await this.#draining
    clearTimeout(this.#patience)
    await this.#spool.settled()
    try {
      if (this.#main) await within(this.#main.close(), CLOSE_MS_MAX)
    } finally {
      await this.#spool.close()
    }
  }

  #present(): EventLog {
    if (!this.#main) throw new HopperError('HOP_LOG_UNAVAILABLE', 'The main log is unavailable.')
    return this.#main
  }

  async #connected(): Promise<EventLog> {
    if (this.#main) return this.#main
    const main = await this.#connect()
    if (!this.#closing.signal.aborted) return (this.#main = main)
    // `close` may be over and no longer sees it
    await main.close()
    throw new HopperError('HOP_LOG_UNAVAILABLE', 'The log was closed before the main log was connected.')
  }

  async #store(envelopes: readonly Envelope[]): Promise<readonly Appended[]> {
    await this.#spool.append(envelopes)
    return envelopes.map(({ app, device_id }) => ({ lane: laneOf(app, device_id, this.lanes), position: NOT_IN_LANE }))
  }

  #send(append: Append): void {
    this.#main!.append(append.envelopes).then(
      (appended) => {
        this.#inFlight.delete(append)
        append.resolve(appended)
      },
      (cause: unknown) => {
        if (this.#inFlight.has(append)) this.#leave(cause)
      },
    )
  }

  /** Starts the one timer for all appends in flight. The oldest append determines it. */
  #watch(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#patience = undefined
      const [oldest] = this.#inFlight
      if (!oldest) return
      const left = oldest.startedAt + this.#settings.patienceMs - performance.now()
      if (left > 0) this.#patience = this.#watch(left)
      else
        this.#leave(
          new HopperError('HOP_LOG_UNAVAILABLE', `The main log has not answered for ${this.#settings.patienceMs} ms.`),
        )
    }, ms)
  }

  /** Switches to the spool, with all appends in flight, in their order. */
  #leave(cause: unknown): void {
    const before = this.#state
    this.#state = 'spooling'
    for (const { envelopes, resolve, reject } of this.#inFlight) this.#store(envelopes).then(resolve, reject)
    this.#inFlight.clear()
    this.#failure = cause
    if (before !== 'direct') return
    this.#since = Date.now()
    this.#logger?.error({ err: cause }, 'the main log is unavailable, events are spooled')
    this.#draining = this.#drain()
  }

  #goDirect(): void {
    if (this.#since !== undefined)
      this.#logger?.info({ awayMs: Date.now() - this.#since }, 'the spool is drained, events go to the main log again')
    this.#state = 'direct'
    this.#since = undefined
    for (const append of this.#inFlight) this.#send(append)
  }

  /** Drains the spool. Runs while appends do not go to the main log. */
  async #drain(connecting?: Promise<EventLog>): Promise<void> {
    const { signal } = this.#closing
    let retryMs = RETRY_MS_FIRST
    while (!signal.aborted) {
      try {
        const main = await unless(signal, connecting ?? this.#connected())
        if (await this.#drainRound(main)) return
        this.#failure = undefined
        retryMs = RETRY_MS_FIRST
      } catch (error) {
        this.#reportDamage(error)
        this.#failure = error
        if (this.#state === 'handing over') this.#leave(error)
        await pause(retryMs, undefined, { signal }).catch(() => undefined)
        retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)
      }
      connecting = undefined
    }
    if (this.#state === 'handing over') this.#leave(signal.reason)
  }

  /** Reports damage once. A damaged block stops the drain until an operator acts. New appends are still accepted. */
  #reportDamage(error: unknown): void {
    if (!isSpoolDamage(error) || (this.#failure as Error | undefined)?.message === error.message) return
    this.#logger?.error({ err: error }, 'the spool is damaged, so the messages in it cannot be sent')
  }

  /** Sends the oldest round. Returns true when nothing waits any more and appends go to the main log. */
  async #drainRound(main: EventLog): Promise<boolean> {
    const round = this.#spool.peek(ROUND_BYTES_MAX)
    // Under load there is always another round. To make a round the last, new appends are held meanwhile; this is done
    // only if the main log has just answered.
    if (round.complete && (this.#failure === undefined || round.envelopes.length === 0)) this.#state = 'handing over'
    if (round.envelopes.length > 0) await this.#deliver(main, round)
    else if (this.#state === 'handing over' && !this.#spool.busy) {
      this.#goDirect()
      return true
    } else await this.#spool.settled()
    return false
  }

  async #deliver(main: EventLog, round: SpooledRound): Promise<void> {
    await unless(this.#closing.signal, within(main.append(round.envelopes), this.#settings.drainPatienceMs))
    this.#spool.forget(round)
  }
}

/** The result of `work`, or a rejection when it takes longer than `ms`. */
async function within<T>(work: Promise<T>, ms: number): Promise<T> {
  const timer = new AbortController()
  const late = pause(ms, undefined, { signal: timer.signal }).then(() => {
    throw new HopperError('HOP_LOG_UNAVAILABLE', `No answer within ${ms} ms.`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    timer.abort()
    late.catch(() => undefined)
    work.catch(() => undefined)
  }
}

/** The result of `work`, or a rejection as soon as the signal is aborted. */
function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** An error and its causes, such as a refused password, in one line. */
function reasonOf(error: Error): string {
  const texts = new Set<string>()
  for (let each: unknown = error; each instanceof Error && texts.size < CAUSES_MAX; each = each.cause) {
    texts.add(each.message.split('\n', 1)[0]!.slice(0, CAUSE_CHARS_MAX).replace(/\.$/, ''))
  }
  return [...texts].join(': ')
}
