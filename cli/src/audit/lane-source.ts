import { foldMessages, seenPartition, type CountedApp, type Message } from '@hopper/aggregator'
import type { App, ArchivedEvent } from '@hopper/contracts'
import type { ExportRange } from '@hopper/engine'
import { isCountable, laneMessages, readMessage, type Storage } from '@hopper/storage'
import { archivedEvents } from '../installation/archived-events.ts'

/** Number of messages decoded at a time: decoded events take several times the memory of their bytes. */
const MESSAGES_PER_PART = 500
const LETTERS_PER_READ = 100

/** A message of the log that counts. */
export type CountedMessage = Message
export type FoldedMessage = Awaited<ReturnType<typeof foldMessages>>[number]

/** The events of one lane: from the archive up to the lane's committed position, from the log after it. */
export class LaneSource {
  readonly lane: number
  readonly storage: Storage
  #passed: Promise<[replayed: ReadonlySet<number>, letters: ReadonlySet<number>]> | undefined
  readonly #appOf: (id: string) => Promise<CountedApp | undefined>

  constructor(storage: Storage, lane: number, appOf: (id: string) => Promise<CountedApp | undefined>) {
    this.storage = storage
    this.lane = lane
    this.#appOf = appOf
  }

  /**
   * Returns the position before which everything is counted and archived. Without an archive, the log is the only
   * source.
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

  /**
   * Yields the messages that count, of every app. Dead letters are left out: they count at the position where they were
   * replayed.
   */
  async *messages(from: number, to: number): AsyncGenerator<readonly CountedMessage[]> {
    const [replayed, letters] = await (this.#passed ??= this.#readPassed())
    for await (const messages of laneMessages(this.storage.log, this.lane, from, to)) {
      for (let start = 0; start < messages.length; start += MESSAGES_PER_PART) {
        const part = messages.slice(start, start + MESSAGES_PER_PART).filter(({ position }) => !replayed.has(position))
        const read = (await Promise.all(part.map((message) => readMessage(message, this.#appOf)))).filter(isCountable)
        const isCounted = async (each: CountedMessage): Promise<boolean> =>
          !letters.has(each.position) || this.#wasCounted(each)
        const counted = await Promise.all(read.map(isCounted))
        yield read.filter((_, index) => counted[index])
      }
    }
  }

  /** Reads the positions of dead letters that were replayed, and of those that still exist. */
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

  /** A dead letter whose reason had disappeared when its message was delivered again was counted nevertheless. */
  async #wasCounted({ position, envelope, app }: CountedMessage): Promise<boolean> {
    const [event] = envelope.events
    if (!event) return false
    const seen = await this.storage.writer.firstPositions(this.lane, seenPartition(app.id, event), [event.event_id])
    return seen.get(event.event_id) === position
  }

  /** Yields the table rows that each counted message feeds. */
  async *folded(from: number, to: number): AsyncGenerator<FoldedMessage> {
    for await (const messages of this.messages(from, to))
      yield* await foldMessages(this.storage.writer, this.lane, messages)
  }
}
