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

/** Reads every lane for one consumer: one loop per lane, one batch at a time, woken by appends. */
export class LaneReaders {
  readonly #lanes: number
  readonly #consumer: LaneConsumer
  readonly #read: ReadLane
  readonly #aborter = new AbortController()
  /** wakers of the loops that wait for an append */
  readonly #wakers = new Set<() => void>()
  #loops: Promise<void>[] = []
  #version = 0

  constructor(lanes: number, consumer: LaneConsumer, read: ReadLane) {
    this.#lanes = lanes
    this.#consumer = consumer
    this.#read = read
  }

  async start(): Promise<void> {
    const froms = await Promise.all(Array.from({ length: this.#lanes }, (_, lane) => this.#consumer.assigned(lane)))
    this.#loops = froms.map((from, lane) => this.#loop(lane, from))
  }

  wake(): void {
    this.#version++
    for (const waker of this.#wakers) waker()
  }

  async close(): Promise<void> {
    this.#aborter.abort()
    await Promise.all(this.#loops)
  }

  async #loop(lane: number, from: number): Promise<void> {
    let next = from
    let retryMs = RETRY_MS_FIRST
    const { signal } = this.#aborter
    while (!signal.aborted) {
      const version = this.#version
      const messages = this.#read(lane, next, MESSAGES_PER_BATCH, BATCH_BYTES_MAX)
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
      } catch {
        await this.#pause(retryMs)
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX)
      }
    }
    await this.#consumer.revoked(lane)
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
