import type { EventLog, Lanes, TableReader } from '@hopper/storage'
import { countedEvents, type CountedEvent } from './counted-events.ts'

const LOOK_EVERY_MS = 500
/** Messages of a lane between two looks; what is more is passed over, and those who listen are told. */
const MESSAGES_MAX = 500

/** Somebody who listens to the events of an app. */
export interface Listener {
  readonly app: string
  counted(event: CountedEvent): void
  /** so many messages of the log were passed over, because too many came at once */
  passedOver(messages: number): void
}

/** Follows what the aggregator has counted, as long as anybody listens. */
export class LiveFeed {
  readonly #log: EventLog
  readonly #lanes: Lanes
  readonly #reader: TableReader
  readonly #failed: (error: unknown) => void
  readonly #listeners = new Set<Listener>()
  /** by lane, the first position that was not looked at */
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

  /** Answers what ends it. */
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
        // the next look begins where this one did
        this.#failed(error)
      }
      await this.#pause()
    }
    this.#running = undefined
  }

  async #look(lane: number, from: number, to: number): Promise<void> {
    if (to > from) await this.#tell(lane, from, to)
    this.#next[lane] = to
  }

  async #tell(lane: number, from: number, to: number): Promise<void> {
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
