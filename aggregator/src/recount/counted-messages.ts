import {
  isCountable,
  readMessage,
  type EventLog,
  type LogMessage,
  type TableReader,
  type TableWriter,
} from '@hopper/storage'
import { seenPartition, type CountedApp, type Message } from '../judge/judge.ts'

const MESSAGES_PER_READ = 10_000
const READ_BYTES_MAX = 8_000_000
const LETTERS_PER_READ = 100

/** Yields the messages of a lane from one position up to another, some megabytes at a time. */
export async function* messagesBetween(
  log: Pick<EventLog, 'read'>,
  lane: number,
  from: number,
  to: number,
): AsyncGenerator<readonly LogMessage[]> {
  for (let next = from; next < to;) {
    const messages = (await log.read(lane, next, MESSAGES_PER_READ, READ_BYTES_MAX)).filter(
      ({ position }) => position < to,
    )
    if (messages.length === 0) return
    yield messages
    next = messages.at(-1)!.position + 1
  }
}

/** Selects the messages of a lane that count: dead letters count at the position where they were replayed. */
export class CountedMessages {
  readonly #writer: TableWriter
  readonly #lane: number
  readonly #appOf: (id: string) => Promise<CountedApp | undefined>
  readonly #replayed: ReadonlySet<number>
  readonly #letters: ReadonlySet<number>

  private constructor(
    writer: TableWriter,
    lane: number,
    appOf: (id: string) => Promise<CountedApp | undefined>,
    replayed: ReadonlySet<number>,
    letters: ReadonlySet<number>,
  ) {
    this.#writer = writer
    this.#lane = lane
    this.#appOf = appOf
    this.#replayed = replayed
    this.#letters = letters
  }

  static async of(
    { reader, writer }: { readonly reader: TableReader; readonly writer: TableWriter },
    lane: number,
    appOf: (id: string) => Promise<CountedApp | undefined>,
  ): Promise<CountedMessages> {
    const letters = new Set<number>()
    for (let from = 0, read = 1; read > 0;) {
      const page = await reader.deadLettersFrom(lane, from, LETTERS_PER_READ)
      for (const { position } of page) letters.add(position)
      read = page.length
      from = (page.at(-1)?.position ?? from) + 1
    }
    return new CountedMessages(writer, lane, appOf, new Set(await writer.replayed?.(lane)), letters)
  }

  /** Returns a message with its app if it counts. */
  async read(message: LogMessage): Promise<Message | undefined> {
    if (this.#replayed.has(message.position)) return undefined
    const read = await readMessage(message, this.#appOf)
    if (!isCountable(read)) return undefined
    return this.#letters.has(message.position) && !(await this.#wasCounted(read)) ? undefined : read
  }

  /** A dead letter whose reason had disappeared when its message was delivered again was counted nevertheless. */
  async #wasCounted({ position, envelope, app }: Message): Promise<boolean> {
    const [event] = envelope.events
    if (!event) return false
    const seen = await this.#writer.firstPositions(this.#lane, seenPartition(app.id, event), [event.event_id])
    return seen.get(event.event_id) === position
  }
}
