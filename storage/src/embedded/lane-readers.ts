import { setImmediate } from 'node:timers/promises'
import type { LaneConsumer, LogMessage } from '../ports/event-log.ts'

const MESSAGES_PER_BATCH = 500
const POLL_MS = 250
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 5_000

/** Reads every lane for one consumer: a loop for each lane, one batch at a time, woken by appends. */
export class LaneReaders {
  readonly #lanes: number
  readonly #consumer: LaneConsumer
  readonly #read: (lane: number, from: number, limit: number) => LogMessage[]
  readonly #aborter = new AbortController()
  readonly #wakers = new Set<() => void>()
  #loops: Promise<void>[] = []
  #version = 0

  constructor(lanes: number, consumer: LaneConsumer, read: (lane: number, from: number, limit: number) => LogMessage[]) {
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
    this.wake()
    await Promise.all(this.#loops)
  }

  async #loop(lane: number, from: number): Promise<void> {
    let next = from
    let retryMs = RETRY_MS_FIRST
    const { signal } = this.#aborter
    while (!signal.aborted) {
      const version = this.#version
      const messages = this.#read(lane, next, MESSAGES_PER_BATCH)
      if (messages.length === 0) {
        if (version === this.#version) await this.#pause(POLL_MS)
        continue
      }
      try {
        await this.#consumer.batch(lane, messages, signal)
        // SQLite answers within the turn: without this, a long backlog would keep every timer of the thread, such as a lease's renewal, from its turn.
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

  /** Waits for the time or a wake-up; an ended subscription does not wait. */
  #pause(ms: number): Promise<void> {
    if (this.#aborter.signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wakers.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wakers.add(done)
    })
  }
}
