import { foldMessages, isCountable, readMessage, seenPartition, type Message } from '@hopper/aggregator'
import type { App, ArchivedEvent } from '@hopper/contracts'
import type { ExportRange } from '@hopper/engine'
import type { Storage } from '@hopper/storage'
import { laneMessages } from '../installation/lane-messages.ts'
import { archivedEvents } from '../installation/archived-events.ts'

/** Messages that are decoded at a time: events take several times the memory of their bytes. */
const MESSAGES_PER_PART = 500
const LETTERS_PER_READ = 100

/** A message of the log as it counts. */
export type CountedMessage = Message
export type FoldedMessage = Awaited<ReturnType<typeof foldMessages>>[number]

/** What one lane has to say: the archive up to the position that the lane has committed, the log from there on. */
export class LaneSource {
  readonly lane: number
  readonly storage: Storage
  #passed: Promise<[replayed: ReadonlySet<number>, letters: ReadonlySet<number>]> | undefined
  readonly #appOf: (id: string) => Promise<App | undefined>

  constructor(storage: Storage, lane: number, appOf: (id: string) => Promise<App | undefined>) {
    this.storage = storage
    this.lane = lane
    this.#appOf = appOf
  }

  /**
   * Everything before this position is counted and archived; where there is no archive, the log is the source of all.
   */
  async committed(): Promise<number> {
    return this.storage.archive ? ((await this.storage.lanes.positions())[this.lane] ?? 0) : 0
  }

  async *archived(
    app: App,
    range: ExportRange,
    before: number,
    needs?: (column: string) => boolean,
  ): AsyncGenerator<readonly ArchivedEvent[]> {
    if (this.storage.archive) yield* archivedEvents(this.storage.archive, app.id, this.lane, range, before, needs)
  }

  /** The messages that count, of every app: no dead letters, which count where they were replayed. */
  async *messages(from: number, to: number): AsyncGenerator<readonly CountedMessage[]> {
    const [replayed, letters] = await (this.#passed ??= this.#readPassed())
    for await (const messages of laneMessages(this.storage.log, this.lane, from, to)) {
      for (let at = 0; at < messages.length; at += MESSAGES_PER_PART) {
        const part = messages.slice(at, at + MESSAGES_PER_PART).filter(({ position }) => !replayed.has(position))
        const read = (await Promise.all(part.map((message) => readMessage(message, this.#appOf)))).filter(isCountable)
        const isCounted = async (each: CountedMessage): Promise<boolean> =>
          !letters.has(each.position) || this.#wasCounted(each)
        const counted = await Promise.all(read.map(isCounted))
        yield read.filter((_, at) => counted[at])
      }
    }
  }

  /** The positions of dead letters that were replayed, and of those that are still there. */
  async #readPassed(): Promise<[replayed: ReadonlySet<number>, letters: ReadonlySet<number>]> {
    const { reader, writer } = this.storage
    const positions = new Set<number>()
    for (let from = 0, read = 1; read > 0;) {
      const letters = await reader.deadLettersFrom(this.lane, from, LETTERS_PER_READ)
      for (const { position } of letters) positions.add(position)
      read = letters.length
      from = (letters.at(-1)?.position ?? from) + 1
    }
    return [new Set(await writer.replayed?.(this.lane)), positions]
  }

  /** A letter whose reason was gone when its message was delivered again has counted all the same. */
  async #wasCounted({ position, envelope, app }: CountedMessage): Promise<boolean> {
    const [event] = envelope.events
    if (!event) return false
    const seen = await this.storage.writer.firstPositions(this.lane, seenPartition(app.id, event), [event.event_id])
    return seen.get(event.event_id) === position
  }

  /** What each message that counts feeds into the tables. */
  async *folded(from: number, to: number): AsyncGenerator<FoldedMessage> {
    for await (const messages of this.messages(from, to))
      yield* await foldMessages(this.storage.writer, this.lane, messages)
  }
}
