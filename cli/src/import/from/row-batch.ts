import { isObject, limits, type App } from '@hopper/contracts'
import { derivedId, Dropped, type OfflineBatch, type OfflineEvent } from '@hopper/ingest'
import { ROW_BYTES_MAX, type Format, type Row } from './row.ts'

/** A row of this size in the file cannot become an event that exceeds the limit. */
const SMALL_ROW_BYTES_MAX = limits.eventBytesMax / 4

/** The conversion of the rows of a batch to events. */
export interface BatchOptions {
  readonly app: App
  readonly receivedAt: number
  readonly historical: boolean
  /** how many equal rows without an id came before */
  readonly before: (contentId: string) => number
  /** added to the number of a row, which orders rows of the same time */
  readonly seqBase?: number
}

/** Rows that are taken together: at most as many as a request may have. */
export class RowBatch {
  readonly #format: Format
  readonly #rowsMax: number
  #rows: Row[] = []
  #bytes = 0

  constructor(format: Format, rowsMax: number = limits.eventsPerBatchMax) {
    this.#format = format
    this.#rowsMax = rowsMax
  }

  get rows(): readonly Row[] {
    return this.#rows
  }

  /** Returns false, and takes nothing, when the batch has to be emptied before. */
  add(row: Row): boolean {
    const isFull = this.#rows.length === this.#rowsMax || this.#bytes + row.bytes > ROW_BYTES_MAX
    if (isFull && this.#rows.length > 0) return false
    this.#rows.push(row)
    this.#bytes += row.bytes
    return true
  }

  /**
   * Returns the rows as events. The id of an event without one is derived from its content and the number of equal
   * events before it. Rows of the same time stay in the order of the file.
   */
  toOffline(options: BatchOptions): OfflineBatch {
    const { app, receivedAt, historical } = options
    return {
      app,
      receivedAt,
      historical,
      events: this.#rows.map((row) => this.#eventOf(row, options)),
      isUnicode: this.#rows.every(({ isUnicode }) => isUnicode),
      small: this.#rows.every(({ bytes }) => bytes <= SMALL_ROW_BYTES_MAX),
    }
  }

  clear(): void {
    this.#rows = []
    this.#bytes = 0
  }

  #eventOf({ number, value }: Row, { before, seqBase = 0 }: BatchOptions): OfflineEvent | Dropped {
    if (!isObject(value)) return { event: value }
    const translated = this.#format.translate(value)
    if (translated instanceof Dropped) return translated
    const event = { ...(translated.event as Record<string, unknown>) }
    if (!isGiven(event['event_id'])) {
      const content = derivedId('row of a file', value)
      const repetition = before(content)
      event['event_id'] = repetition === 0 ? content : derivedId(content, repetition)
    }
    event['seq'] ??= seqBase + number
    return { event, supplement: translated.supplement }
  }
}

function isGiven(id: unknown): boolean {
  return id !== undefined && id !== null && id !== ''
}
