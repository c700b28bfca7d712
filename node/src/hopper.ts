import { HopperClientError } from './client-error.ts'
import { EventQueue, type QueuedEvent } from './event-queue.ts'
import { ExitHooks } from './exit-hooks.ts'
import { LossReport } from './loss-report.ts'
import { readOptions, type HopperOptions, type Settings } from './options.ts'
import { postBatch, type Outcome } from './post-batch.ts'
import { retryDelay } from './retry-delay.ts'
import { eventOfIdentification, eventOfTracked, type Identification, type Tracked } from './wire-event.ts'

export interface FlushOptions {
  /** longest wait; 10,000 ms by default */
  readonly timeoutMs?: number
}

/** Numbers of events. `tracked` is the sum of all others. */
export interface HopperFigures {
  /** events for which `track` or `identify` was called */
  readonly tracked: number
  /** acknowledged by Hopper, so durable there */
  readonly acknowledged: number
  /** lost, each reported to `onError` */
  readonly lost: number
  /** in the queue, those under way included */
  readonly queued: number
}

interface Waiting {
  /** number of events that must be settled */
  readonly upTo: number
  readonly end: (isDone: boolean) => void
}

type Failure = Extract<Outcome, { kind: 'failed' }>
type Answer = Exclude<Outcome, Failure>

const FLUSH_MS_MAX = 10_000

/** Creates a client; the same as `new Hopper(options)`. */
export function init(options: HopperOptions): Hopper {
  return new Hopper(options)
}

/**
 * Sends events to Hopper in the background, in batches, one request at a time so that they keep their order. Each event
 * has its id before it is sent, so it counts once however often it is sent again. Only the constructor throws: whatever
 * else goes wrong is reported to `onError`. Timers do not keep the process alive; queued events are sent when it ends.
 */
export class Hopper {
  readonly #settings: Settings
  readonly #queue: EventQueue
  readonly #losses: LossReport
  readonly #exitHooks: ExitHooks
  readonly #abandoned = new AbortController()
  #isClosed = false
  #closing: Promise<void> | undefined
  #acknowledged = 0
  /** number of events that were ever put into the queue, and of those that have left it */
  #enqueued = 0
  #settled = 0
  /** events up to this number are sent without waiting for others */
  #dueUpTo = 0
  #timer: NodeJS.Timeout | undefined
  #isPumping = false
  #pumping: Promise<void> = Promise.resolve()
  #endPause: (() => void) | undefined
  readonly #waiting = new Set<Waiting>()

  /** @throws TypeError that names every bad option */
  constructor(options: HopperOptions) {
    this.#settings = readOptions(options)
    this.#queue = new EventQueue(this.#settings)
    this.#losses = new LossReport(this.#settings.onError)
    this.#exitHooks = new ExitHooks(
      () => this.close(),
      () => this.#queue.length > 0,
      this.#settings,
    )
  }

  /** Queues an event and returns its id; undefined when it is refused, which is reported to `onError`. */
  track(tracked: Tracked): string | undefined {
    return this.#enqueue(() => eventOfTracked(tracked, Date.now()))
  }

  /** Queues an identify: from here on, the device belongs to a person. Returns as `track` does. */
  identify(identification: Identification): string | undefined {
    return this.#enqueue(() => eventOfIdentification(identification, Date.now()))
  }

  /**
   * Sends the queued events now. Resolves with true when Hopper has answered for all of them, with false when that
   * takes longer than `timeoutMs`; delivery then continues. Keeps the process alive until it resolves.
   */
  flush({ timeoutMs = FLUSH_MS_MAX }: FlushOptions = {}): Promise<boolean> {
    const upTo = (this.#dueUpTo = this.#enqueued)
    if (this.#settled >= upTo) return Promise.resolve(true)
    this.#pump()
    return new Promise((resolve) => {
      const timer = setTimeout(() => end(false), timeoutMs)
      const end = (isDone: boolean): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiting)
        resolve(isDone)
      }
      const waiting = { upTo, end }
      this.#waiting.add(waiting)
    })
  }

  /**
   * Accepts no more events, and sends the queued ones for at most `closeTimeoutMs`. Events that are not acknowledged by
   * then are lost and reported. Never rejects.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  get figures(): HopperFigures {
    const [acknowledged, lost, queued] = [this.#acknowledged, this.#losses.events, this.#queue.length]
    return { tracked: acknowledged + lost + queued, acknowledged, lost, queued }
  }

  #enqueue(make: () => QueuedEvent): string | undefined {
    try {
      const event = make()
      this.#assertTakes(event)
      this.#enqueued++
      if (this.#isFull()) this.#pump()
      else this.#startTimer()
      return event.id
    } catch (error) {
      this.#losses.add(asClientError(error))
      return undefined
    }
  }

  /** @throws HopperClientError when the event is refused */
  #assertTakes(event: QueuedEvent): void {
    const { batchBytesMax } = this.#settings
    const details = { eventIds: [event.id] }
    if (this.#isClosed) throw new HopperClientError('closed', 'The client is closed; the event is not sent.', details)
    if (event.bytes > batchBytesMax)
      throw new HopperClientError(
        'too_large',
        `An event has ${event.bytes} bytes, more than ${batchBytesMax}.`,
        details,
      )
    if (!this.#queue.add(event))
      throw new HopperClientError('queue_full', `The queue is full with ${this.#queue.length} events.`, details)
  }

  #isFull(): boolean {
    return this.#queue.length >= this.#settings.batchEventsMax || this.#queue.bytes >= this.#settings.batchBytesMax
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#dueUpTo = this.#enqueued
      this.#pump()
    }, this.#settings.flushIntervalMs).unref()
  }

  #pump(): void {
    if (!this.#isPumping) this.#pumping = this.#sendDue()
  }

  /** Sends full batches and due events until none is left. */
  async #sendDue(): Promise<void> {
    const { batchEventsMax, batchBytesMax } = this.#settings
    this.#isPumping = true
    while (this.#queue.length > 0 && (this.#isFull() || this.#settled < this.#dueUpTo)) {
      const batch = this.#queue.peek(batchEventsMax, batchBytesMax)
      const outcome = await this.#deliver(batch)
      if (!outcome) break
      this.#queue.remove(batch.length)
      this.#conclude(batch, outcome)
      this.#settle(batch.length)
    }
    // in the same turn as the last look at the queue: an event that is added later starts a new delivery
    this.#isPumping = false
    if (this.#queue.length > 0 && !this.#abandoned.signal.aborted) this.#startTimer()
  }

  /** Sends a batch until Hopper answers for it. Returns undefined when the client gave up before. */
  async #deliver(batch: readonly QueuedEvent[]): Promise<Answer | undefined> {
    const { signal } = this.#abandoned
    for (let failures = 1; !signal.aborted; failures++) {
      const outcome = await postBatch(this.#settings, batch, signal)
      if (outcome.kind !== 'failed') return outcome
      if (!signal.aborted) await this.#pauseAfter(outcome, failures, batch)
    }
    return undefined
  }

  #conclude(batch: readonly QueuedEvent[], outcome: Answer): void {
    if (outcome.kind === 'refused') {
      const { status, message } = outcome
      const eventIds = batch.map(({ id }) => id)
      return this.#losses.add(new HopperClientError('refused', `${message} Not sent again.`, { status, eventIds }))
    }
    this.#acknowledged += batch.length - outcome.rejected.length
    for (const { id, message } of outcome.rejected)
      this.#losses.add(new HopperClientError('rejected', `Hopper rejected an event. ${message}`, { eventIds: [id] }))
  }

  async #pauseAfter(
    { message, status, retryAfterMs, cause }: Failure,
    failures: number,
    batch: readonly QueuedEvent[],
  ): Promise<void> {
    const retryInMs = Math.max(retryDelay(failures, this.#settings), retryAfterMs ?? 0)
    this.#losses.warn(
      new HopperClientError('unavailable', `${message} Sending again in ${retryInMs} ms.`, {
        eventIds: batch.map(({ id }) => id),
        retryInMs,
        cause,
        ...(status !== undefined && { status }),
      }),
    )
    await this.#pause(retryInMs, retryAfterMs === undefined)
  }

  /** `mayEnd`: closing the client ends the pause. A pause requested by Retry-After is respected even then. */
  #pause(ms: number, mayEnd: boolean): Promise<void> {
    const { signal } = this.#abandoned
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        this.#endPause = undefined
        resolve()
      }
      const timer = setTimeout(end, ms).unref()
      signal.addEventListener('abort', end)
      if (mayEnd) this.#endPause = end
    })
  }

  #settle(events: number): void {
    this.#settled += events
    for (const { upTo, end } of this.#waiting) if (upTo <= this.#settled) end(true)
    if (this.#queue.length === 0) this.#losses.finish()
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    this.#exitHooks.remove()
    this.#endPause?.()
    await this.flush({ timeoutMs: this.#settings.closeTimeoutMs })
    clearTimeout(this.#timer)
    this.#abandoned.abort()
    await this.#pumping
    const eventIds = this.#queue.remove(this.#queue.length).map(({ id }) => id)
    if (eventIds.length > 0)
      this.#losses.add(
        new HopperClientError('closed', `${eventIds.length} events were not acknowledged before the end.`, {
          eventIds,
        }),
      )
    this.#settle(eventIds.length)
  }
}

function asClientError(error: unknown): HopperClientError {
  if (error instanceof HopperClientError) return error
  return new HopperClientError('invalid_event', 'The event cannot be read; it is not sent.', {
    events: 1,
    cause: error,
  })
}
