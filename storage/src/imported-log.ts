import { laneOf, type Envelope } from '@hopper/contracts'
import { missingMessages } from './missing-messages.ts'
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
 * Appends the messages of a dump, or of another file, to the log, each once, however often the import is interrupted.
 * Before each append, the progress is stored: which messages follow and where the log ends. An import that is run again
 * looks behind those ends for the messages that have arrived.
 */
export class ImportedLog {
  /** when the import was begun, ms since the epoch; the same when it is continued */
  readonly begunAt: number
  readonly #storage: ImportTarget
  readonly #dump: string
  readonly #messagesPerAppend: number
  /** of an earlier run; undefined once its last append is complete */
  #earlier: ImportProgress | undefined
  readonly #skipped: number
  #met = 0
  #appended: number
  #waiting: LaneMessage[] = []
  #waitingBytes = 0

  private constructor(
    storage: ImportTarget,
    dump: string,
    messagesPerAppend: number,
    earlier: ImportProgress | undefined,
  ) {
    this.begunAt = earlier?.begun_at ?? Date.now()
    this.#storage = storage
    this.#dump = dump
    this.#messagesPerAppend = messagesPerAppend
    this.#skipped = this.#appended = earlier?.appended ?? 0
    this.#earlier = earlier && earlier.pending > 0 ? earlier : undefined
  }

  static async open(
    storage: ImportTarget,
    dump: string,
    messagesPerAppend: number = MESSAGES_PER_APPEND,
  ): Promise<ImportedLog> {
    const earlier = await storage.registry.imports.get('', dump)
    const ends = await storage.log.ends()
    // A log that ends earlier is another log: what an earlier run appended is gone.
    const isSameLog = earlier?.ends.length === ends.length && earlier.ends.every((end, lane) => end <= ends[lane]!)
    return new ImportedLog(storage, dump, messagesPerAppend, isSameLog ? earlier : undefined)
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
      : this.#waiting.length >= this.#messagesPerAppend || this.#waitingBytes >= APPEND_BYTES_MAX
    if (isFull) await this.#append()
  }

  async finish(): Promise<void> {
    await this.#append()
    await this.#saveProgress({ pending: 0, finished_at: Date.now() })
  }

  async #append(): Promise<void> {
    if (this.#waiting.length === 0) return
    const { log } = this.#storage
    if (this.#earlier) await log.appendMessages(await missingMessages(log, this.#waiting, this.#earlier.ends))
    else {
      await this.#saveProgress({ pending: this.#waiting.length })
      await log.appendMessages(this.#waiting)
    }
    this.#earlier = undefined
    this.#appended += this.#waiting.length
    this.#waiting = []
    this.#waitingBytes = 0
  }

  async #saveProgress(state: Pick<ImportProgress, 'pending' | 'finished_at'>): Promise<void> {
    const progress: ImportProgress = {
      dump: this.#dump,
      begun_at: this.begunAt,
      appended: this.#appended,
      ends: await this.#storage.log.ends(),
      ...state,
    }
    await this.#storage.registry.imports.put('', this.#dump, progress)
  }
}
