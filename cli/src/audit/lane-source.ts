import { foldMessages, isCountable, readMessage, type Message } from '@hopper/aggregator'
import type { App, ArchivedEvent } from '@hopper/contracts'
import type { ExportRange } from '@hopper/engine'
import type { Storage } from '@hopper/storage'
import { laneMessages } from '../export/lane-messages.ts'
import { archivedEvents } from './archived-events.ts'

/** Messages that are decoded at a time: events take several times the memory of their bytes. */
const MESSAGES_PER_PART = 500

/** A message of the log as it counts. */
export type CountedMessage = Message
export type FoldedMessage = Awaited<ReturnType<typeof foldMessages>>[number]

/** What one lane has to say: the archive up to the position that the lane has committed, the log from there on. */
export class LaneSource {
  readonly lane: number
  readonly storage: Storage
  readonly #appOf: (id: string) => Promise<App | undefined>

  constructor(storage: Storage, lane: number, appOf: (id: string) => Promise<App | undefined>) {
    this.storage = storage
    this.lane = lane
    this.#appOf = appOf
  }

  /** Everything before this position is counted and archived; where there is no archive, the log is the source of all. */
  async committed(): Promise<number> {
    return this.storage.archive ? ((await this.storage.lanes.positions())[this.lane] ?? 0) : 0
  }

  async *archived(app: App, range: ExportRange, before: number, needs?: (column: string) => boolean): AsyncGenerator<readonly ArchivedEvent[]> {
    if (this.storage.archive) yield* archivedEvents(this.storage.archive, app.id, this.lane, range, before, needs)
  }

  /** The messages that count, of every app. */
  async *messages(from: number, to: number): AsyncGenerator<readonly CountedMessage[]> {
    for await (const messages of laneMessages(this.storage.log, this.lane, from, to)) {
      for (let at = 0; at < messages.length; at += MESSAGES_PER_PART) {
        const read = await Promise.all(messages.slice(at, at + MESSAGES_PER_PART).map((message) => readMessage(message, this.#appOf)))
        yield read.filter(isCountable)
      }
    }
  }

  /** What each message that counts feeds into the tables. */
  async *folded(from: number, to: number): AsyncGenerator<FoldedMessage> {
    for await (const messages of this.messages(from, to)) yield* await foldMessages(this.storage.writer, this.lane, messages)
  }
}
