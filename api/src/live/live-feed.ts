import type { EventLog, Lanes, TableReader } from '@hopper/storage'
import { countedEvents, type CountedEvent } from './counted-events.ts'

const LOOK_EVERY_MS = 500
/** Maximum number of messages per lane and poll; more are skipped, and listeners are notified. */
const MESSAGES_MAX = 500

/** A listener to the events of an app. */
export interface Listener {
  readonly app: string
  counted(event: CountedEvent): void
  /** reports the number of log messages that were skipped because too many arrived at once */
  passedOver(messages: number): void
}

/** Follows what the aggregator has counted while there are listeners. */
export class LiveFeed {
  readonly #log: EventLog
  readonly #lanes: Lanes
  readonly #reader: TableReader
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Set<Listener>()
  /** by lane, the next position to read */
  #next: number[] = []
  #running: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor(log: EventLog, lanes: Lanes, reader: TableReader, failed: (error: unknown) => void) {
    this.#log = log
    this.#lanes = lanes
    this.#reader = reader
    this.#failed = failed
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** Adds a listener and returns a function that removes it. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    this.#running ??= this.#follow()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#wake?.()
    }
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    this.#wake?.()
    await this.#running
  }

  async #follow(): Promise<void> {
    let fresh = true
    while (this.#listeners.size > 0) {
      try {
        const positions = await this.#lanes.positions()
        if (fresh) this.#next = [...positions]
        fresh = false
        await Promise.all(positions.map((position, lane) => this.#look(lane, this.#next[lane] ?? 0, position)))
      } catch (error) {
        // the next poll starts from the same positions
        this.#failed(error)
      }
      await this.#pause()
    }
    this.#running = undefined
  }

  async #look(lane: number, from: number, to: number): Promise<void> {
    if (to > from) await this.#deliver(lane, from, to)
    this.#next[lane] = to
  }

  async #deliver(lane: number, from: number, to: number): Promise<void> {
    const begin = Math.max(from, to - MESSAGES_MAX)
    if (begin > from) for (const listener of this.#listeners) listener.passedOver(begin - from)
    const messages = await this.#log.read(lane, begin, MESSAGES_MAX)
    const apps = new Set([...this.#listeners].map(({ app }) => app))
    const events = await countedEvents(
      this.#reader,
      lane,
      messages.filter(({ position }) => position < to),
      apps,
    )
    for (const event of events)
      for (const listener of this.#listeners) if (listener.app === event.envelope.app) listener.counted(event)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LOOK_EVERY_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
