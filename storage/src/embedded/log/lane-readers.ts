import { setImmediate } from 'node:timers/promises'
import type { LaneConsumer, LogMessage } from '../../ports/event-log.ts'

const MESSAGES_PER_BATCH = 4_000
/** maximum size of a batch, except for its first message */
const BATCH_BYTES_MAX = 4_000_000
const POLL_MS = 250
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 5_000

/** Reads messages of a lane from a position on: up to `limit` of them, and after the first no more than `bytesMax`. */
export type ReadLane = (lane: number, from: number, limit: number, bytesMax: number) => LogMessage[]

/** Called when a lane can no longer be read, and when it can be again. */
export interface LaneLogger {
  error(details: object, message: string): void
  info(details: object, message: string): void
}

/**
 * Reads every lane for one consumer: one loop per lane, one batch at a time, woken by appends. A lane that the consumer
 * does not take, or that cannot be read, is offered again after a pause; the other lanes continue.
 */
export class LaneReaders {
  readonly #lanes: number
  readonly #consumer: LaneConsumer
  readonly #read: ReadLane
  readonly #logger: Partial<LaneLogger> | undefined
  readonly #aborter = new AbortController()
  /** wakers of the loops that wait for an append */
  readonly #wakers = new Set<() => void>()
  /** stalled lanes, with the reason */
  readonly #stalled = new Map<number, Error>()
  #loops: readonly Promise<void>[] = []
  #version = 0

  constructor(lanes: number, consumer: LaneConsumer, read: ReadLane, logger?: Partial<LaneLogger>) {
    this.#lanes = lanes
    this.#consumer = consumer
    this.#read = read
    this.#logger = logger
  }

  /** the reason why a lane is stalled; undefined while all are read */
  get failure(): Error | undefined {
    return [...this.#stalled.values()][0]
  }

  /** Resolves when each lane has been offered to the consumer once. */
  async start(): Promise<void> {
    const offered = Array.from({ length: this.#lanes }, () => Promise.withResolvers<void>())
    this.#loops = offered.map(({ resolve }, lane) => this.#keep(lane, resolve))
    await Promise.all(offered.map(({ promise }) => promise))
  }

  wake(): void {
    this.#version++
    for (const waker of this.#wakers) waker()
  }

  async close(): Promise<void> {
    this.#aborter.abort()
    await Promise.all(this.#loops)
  }

  /** Offers a lane until the end of the subscription. `offered` is called when it was taken or refused. */
  async #keep(lane: number, offered: () => void): Promise<void> {
    const { signal } = this.#aborter
    let retryMs = RETRY_MS_FIRST
    while (!signal.aborted) {
      try {
        const from = await this.#consumer.assigned(lane)
        offered()
        try {
          await this.#loop(lane, from, () => (retryMs = RETRY_MS_FIRST))
        } finally {
          await this.#consumer.revoked(lane)
        }
      } catch (error) {
        offered()
        this.#stall(lane, error as Error)
        await this.#pause(retryMs)
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
    }
  }

  /** Reads a lane until the end of the subscription; rejects when it cannot be read. */
  async #loop(lane: number, from: number, progressed: () => void): Promise<void> {
    let next = from
    let retryMs = RETRY_MS_FIRST
    const { signal } = this.#aborter
    while (!signal.aborted) {
      const version = this.#version
      const messages = this.#read(lane, next, MESSAGES_PER_BATCH, BATCH_BYTES_MAX)
      this.#resume(lane)
      if (messages.length === 0) {
        if (version === this.#version) await this.#pause(POLL_MS, this.#wakers)
        continue
      }
      try {
        await this.#consumer.batch(lane, messages, signal)
        // SQLite answers synchronously: without this, a long backlog would delay every timer of the thread, such as a
        // lease's renewal.
        await setImmediate()
        next = messages.at(-1)!.position + 1
        retryMs = RETRY_MS_FIRST
        progressed()
      } catch {
        // the consumer has reported it
        await this.#pause(retryMs)
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
    }
  }

  /** Reports a stalled lane, once for each reason. */
  #stall(lane: number, error: Error): void {
    const known = this.#stalled.get(lane)
    this.#stalled.set(lane, error)
    if (known?.message === error.message) return
    this.#logger?.error?.({ lane, err: error }, 'a lane is stalled: it could not be taken or read; it is tried again')
  }

  #resume(lane: number): void {
    if (this.#stalled.delete(lane)) this.#logger?.info?.({ lane }, 'a lane that stood still is read again')
  }

  /**
   * Waits for the time or the end of the subscription; with `wakers`, also for an append. Retries do not pass `wakers`:
   * appends would only make a failed batch fail again sooner.
   */
  #pause(ms: number, wakers?: Set<() => void>): Promise<void> {
    const { signal } = this.#aborter
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        wakers?.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      wakers?.add(done)
      signal.addEventListener('abort', done)
    })
  }
}
