import { laneOf, type Envelope } from '@hopper/contracts'
import { findMessages } from './missing-messages.ts'
import type { Appended, EventLog, LaneMessage } from './ports/event-log.ts'
import type { ImportProgress, Registry } from './ports/registry.ts'

const MESSAGES_PER_APPEND = 500
const APPEND_BYTES_MAX = 4_000_000

/** The log to append to, and where the progress is stored. */
export interface ImportTarget {
  readonly log: EventLog
  readonly registry: Registry
}

/** A message with the lane that it was in; the envelope is missing if it cannot be decoded. */
export interface ImportedMessage extends LaneMessage {
  readonly envelope?: Pick<Envelope, 'app' | 'device_id'> | undefined
}

export interface ImportOptions<T extends ImportedMessage> {
  readonly messagesPerAppend?: number
  /**
   * Receives the place of each message that can be decoded, in the order of its lane. Places of messages that an
   * earlier run has appended are computed from their number, so they are wrong if others wrote to the lane at the same
   * time.
   */
  readonly onPlaced?: (message: T, at: Appended) => void
}

/**
 * Appends the messages of a dump, or of another file, to the log, each once, however often the import is interrupted.
 * Before each append, the progress is stored: which messages follow and where the log ends. An import that is run again
 * looks behind those ends for the messages that have arrived.
 */
export class ImportedLog<T extends ImportedMessage = ImportedMessage> {
  /** when the import was begun, ms since the epoch; the same when it is continued */
  readonly begunAt: number
  readonly #storage: ImportTarget
  readonly #dump: string
  readonly #messagesPerAppend: number
  readonly #onPlaced: ImportOptions<T>['onPlaced']
  readonly #firstEnds: readonly number[] | undefined
  /** messages of each lane that an earlier run has appended */
  readonly #skippedOfLanes: number[] = []
  /** the unfinished append of an earlier run; undefined once it is complete */
  #earlier: ImportProgress | undefined
  readonly #skipped: number
  #met = 0
  #appended: number
  #waiting: { readonly to: LaneMessage; readonly message: T }[] = []
  #waitingBytes = 0

  private constructor(
    storage: ImportTarget,
    dump: string,
    ends: readonly number[],
    earlier: ImportProgress | undefined,
    { messagesPerAppend = MESSAGES_PER_APPEND, onPlaced }: ImportOptions<T>,
  ) {
    this.begunAt = earlier?.begun_at ?? Date.now()
    this.#storage = storage
    this.#dump = dump
    this.#messagesPerAppend = messagesPerAppend
    this.#onPlaced = onPlaced
    this.#firstEnds = earlier ? earlier.first_ends : ends
    this.#skipped = this.#appended = earlier?.appended ?? 0
    this.#earlier = earlier && earlier.pending > 0 ? earlier : undefined
  }

  static async open<T extends ImportedMessage = ImportedMessage>(
    storage: ImportTarget,
    dump: string,
    options: ImportOptions<T> = {},
  ): Promise<ImportedLog<T>> {
    const earlier = await storage.registry.imports.get('', dump)
    const ends = await storage.log.ends()
    // If the log ends earlier, it is another log, without the messages of the earlier run.
    const isSameLog = earlier?.ends.length === ends.length && earlier.ends.every((end, lane) => end <= ends[lane]!)
    return new ImportedLog(storage, dump, ends, isSameLog ? earlier : undefined, options)
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
  async add(message: T): Promise<void> {
    const { lane: dumped, value, envelope } = message
    const { lanes } = this.#storage.log
    const lane = envelope ? laneOf(envelope.app, envelope.device_id, lanes) : dumped % lanes
    if (this.#met++ < this.#skipped) return this.#skip(message, lane)
    this.#waiting.push({ to: { lane, value }, message })
    this.#waitingBytes += value.length
    const isFull = this.#earlier
      ? this.#waiting.length === this.#earlier.pending
      : this.#waiting.length >= this.#messagesPerAppend || this.#waitingBytes >= APPEND_BYTES_MAX
    if (isFull) await this.#append()
  }

  #skip(message: T, lane: number): void {
    const before = (this.#skippedOfLanes[lane] ??= 0)
    this.#skippedOfLanes[lane] = before + 1
    const first = this.#firstEnds?.[lane]
    if (first !== undefined) this.#place(message, { lane, position: first + before })
  }

  #place(message: T, at: Appended): void {
    if (message.envelope) this.#onPlaced?.(message, at)
  }

  async finish(): Promise<void> {
    await this.#append()
    await this.#saveProgress({ pending: 0, finished_at: Date.now() })
  }

  async #append(): Promise<void> {
    if (this.#waiting.length === 0) return
    const { log } = this.#storage
    const messages = this.#waiting.map(({ to }) => to)
    const found = this.#earlier ? await findMessages(log, messages, this.#earlier.ends) : []
    if (!this.#earlier) await this.#saveProgress({ pending: this.#waiting.length })
    const places = [...(await log.appendMessages(messages.filter((_, at) => found[at] === undefined)))]
    for (const [at, { to, message }] of this.#waiting.entries()) {
      const position = found[at]
      this.#place(message, position === undefined ? places.shift()! : { lane: to.lane, position })
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
      ...(this.#firstEnds ? { first_ends: this.#firstEnds } : {}),
      ...state,
    }
    await this.#storage.registry.imports.put('', this.#dump, progress)
  }
}
