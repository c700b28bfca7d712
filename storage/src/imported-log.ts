import { createHash } from 'node:crypto'
import { laneOf, type Envelope } from '@hopper/contracts'
import { laneMessages } from './lane-messages.ts'
import type { EventLog, LaneMessage } from './ports/event-log.ts'
import type { ImportProgress, Registry } from './ports/registry.ts'

const MESSAGES_PER_APPEND = 500
const APPEND_BYTES_MAX = 4_000_000

/** The log that messages are appended to, and where the progress is stored. */
export interface ImportTarget {
  readonly log: EventLog
  readonly registry: Registry
}

/** A message with the lane that it was in; the envelope is missing if it cannot be decoded. */
export interface ImportedMessage extends LaneMessage {
  readonly envelope?: Pick<Envelope, 'app' | 'device_id'> | undefined
}

/**
 * Appends the messages of a dump to the log, each once, however often the import is interrupted. Before each append,
 * the progress is stored: which messages follow and where the log ends. An import that is run again looks behind those
 * ends for the messages that have arrived.
 */
export class ImportedLog {
  readonly #storage: ImportTarget
  readonly #dump: string
  /** of an earlier run; undefined once its last append is complete */
  #earlier: ImportProgress | undefined
  readonly #skipped: number
  #met = 0
  #appended: number
  #waiting: LaneMessage[] = []
  #waitingBytes = 0

  private constructor(storage: ImportTarget, dump: string, earlier: ImportProgress | undefined) {
    this.#storage = storage
    this.#dump = dump
    this.#skipped = this.#appended = earlier?.appended ?? 0
    this.#earlier = earlier && earlier.pending > 0 ? earlier : undefined
  }

  static async open(storage: ImportTarget, dump: string): Promise<ImportedLog> {
    const earlier = await storage.registry.imports.get('', dump)
    const ends = await storage.log.ends()
    // A log that ends earlier is another log: what an earlier run appended is gone.
    const isSameLog = earlier?.ends.length === ends.length && earlier.ends.every((end, lane) => end <= ends[lane]!)
    return new ImportedLog(storage, dump, isSameLog ? earlier : undefined)
  }

  /** messages that an earlier run has already appended */
  get skipped(): number {
    return Math.min(this.#skipped, this.#met)
  }

  /** messages of the dump that are in the log */
  get appended(): number {
    return this.#appended
  }

  /**
   * Messages of a device keep their order, whatever the number of lanes. Those that cannot be decoded keep their lane,
   * modulo the number of lanes.
   */
  async add({ lane, value, envelope }: ImportedMessage): Promise<void> {
    if (this.#met++ < this.#skipped) return
    const { lanes } = this.#storage.log
    this.#waiting.push({ lane: envelope ? laneOf(envelope.app, envelope.device_id, lanes) : lane % lanes, value })
    this.#waitingBytes += value.length
    const isFull = this.#earlier
      ? this.#waiting.length === this.#earlier.pending
      : this.#waiting.length >= MESSAGES_PER_APPEND || this.#waitingBytes >= APPEND_BYTES_MAX
    if (isFull) await this.#append()
  }

  async finish(): Promise<void> {
    await this.#append()
    await this.#note({ pending: 0, finished_at: Date.now() })
  }

  async #append(): Promise<void> {
    if (this.#waiting.length === 0) return
    const { log } = this.#storage
    if (this.#earlier) await log.appendMessages(await this.#missing(this.#earlier))
    else {
      await this.#note({ pending: this.#waiting.length })
      await log.appendMessages(this.#waiting)
    }
    this.#earlier = undefined
    this.#appended += this.#waiting.length
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /** Returns the waiting messages that an earlier run had begun to append and that did not arrive. */
  async #missing({ ends }: ImportProgress): Promise<LaneMessage[]> {
    const { log } = this.#storage
    const arrived = new Map<string, number>()
    const wanted = new Set(this.#waiting.map(nameOf))
    const now = await log.ends()
    for (const lane of new Set(this.#waiting.map(({ lane }) => lane))) {
      for await (const messages of laneMessages(log, lane, ends[lane]!, now[lane]!)) {
        for (const { value } of messages) {
          const name = nameOf({ lane, value })
          if (wanted.has(name)) arrived.set(name, (arrived.get(name) ?? 0) + 1)
        }
      }
    }
    return this.#waiting.filter((message) => {
      const name = nameOf(message)
      const left = arrived.get(name) ?? 0
      arrived.set(name, left - 1)
      return left <= 0
    })
  }

  async #note(state: Pick<ImportProgress, 'pending' | 'finished_at'>): Promise<void> {
    const progress: ImportProgress = {
      dump: this.#dump,
      appended: this.#appended,
      ends: await this.#storage.log.ends(),
      ...state,
    }
    await this.#storage.registry.imports.put('', this.#dump, progress)
  }
}

function nameOf({ lane, value }: LaneMessage): string {
  return `${lane} ${createHash('sha256').update(value).digest('base64')}`
}
