import { setImmediate } from 'node:timers/promises'
import { withVerdict, type BotReason, type Context, type DateCover, type EncodedChunk } from '@hopper/contracts'
import { encodeGroups, RowBuffer, type SpanCover } from '@hopper/engine'
import type { Archive, Lease, Partition } from '@hopper/storage'
import { isExpired, type Judged } from './judge/judge.ts'
import { hasEnded, monthOf } from './merge/stored-span.ts'

/** Maximum number of rows that a lane buffers: enough for an efficiently stored chunk. */
const LANE_ROWS_MAX = 20_000
/** Rows between two measurements of their memory. */
const ROWS_PER_MEASUREMENT = 256
/**
 * Events that were received longer ago come from a backlog. Nobody waits for them to be visible, so they are buffered
 * longer and make larger chunks.
 */
const BACKLOG_MS = 5_000
const BACKLOG_HELD_MS = 3_000
/** Maximum number of dates whose covered position is cached between two flushes. */
const COVERED_MAX = 5_000
/** Cells that are appended together. */
const APPEND_BYTES = 4_000_000
/** Maximum time of packing rows before other work of the thread gets its turn. */
const TIME_SLICE_MS = 20

/** Maximum time that events are buffered, in ms. */
export interface HeldTimes {
  /** of events that somebody may wait for */
  readonly fresh: number
  /** the same time for events from a backlog, if it is longer; 3 s by default */
  readonly backlog?: number | undefined
}

/** Rows by app. */
type Buffers = Map<string, RowBuffer>

/**
 * Buffers the events of a lane on their way into the archive, so that chunks are not tiny, and appends them exactly
 * once: the archive knows which positions it covers, so events that are delivered again, after a crash or a failed
 * write, add nothing. All dates of an app share one buffer, and past dates share one span per month, so that events of
 * very many dates, as in an import, cost as much as those of one date.
 */
export class ArchiveBuffer {
  readonly #archive: Archive
  readonly #lane: number
  readonly #onAppended: (partition: Partition) => void
  readonly #held: { readonly fresh: number; readonly backlog: number }
  readonly #covered = new Map<string, number>()
  #buffers: Buffers = new Map()
  /** buffers that are being written, and those that could not be written before */
  readonly #writing: Buffers[] = []
  #writingBytes = 0
  #rows = 0
  /** memory and number of the rows at the last measurement */
  #measuredBytes = 0
  #measuredRows = 0
  /**
   * when the first buffered row was added (`performance.now()`), and the latest receipt of any row (ms since the epoch)
   */
  #since = 0
  #receivedAt = 0
  /** next position to add, by app; `#begin` for an app without any added message */
  readonly #next = new Map<string, number>()
  readonly #begin: number
  #flushing: Promise<void> = Promise.resolve()
  /** the last context whose verdict is not that of ingest */
  #judged: { readonly sent: Context; readonly context: Context } | undefined

  /** `onAppended` is called for each span that became visible. */
  constructor(
    archive: Archive,
    lane: number,
    position: number,
    { fresh, backlog = BACKLOG_HELD_MS }: HeldTimes,
    onAppended: (partition: Partition) => void,
  ) {
    this.#archive = archive
    this.#lane = lane
    this.#begin = position
    this.#held = { fresh, backlog: Math.max(fresh, backlog) }
    this.#onAppended = onAppended
  }

  get rows(): number {
    return this.#rows
  }

  /** Estimated memory of the rows, including those that are being written. */
  get bytes(): number {
    return this.#heldBytes() + this.#writingBytes
  }

  /** True when the buffer has reached its limit of rows or bytes. */
  isFull(bytesMax: number): boolean {
    return this.#rows >= LANE_ROWS_MAX || this.#heldBytes() >= bytesMax
  }

  #heldBytes(): number {
    if (this.#rows < this.#measuredRows || this.#rows - this.#measuredRows >= ROWS_PER_MEASUREMENT) {
      this.#measuredBytes = bytesOf(this.#buffers)
      this.#measuredRows = this.#rows
    }
    return this.#measuredBytes
  }

  /** True when the buffered rows should be archived now instead of waiting for more. */
  get isDue(): boolean {
    const { fresh, backlog } = this.#held
    const isBacklog = Date.now() - this.#receivedAt >= BACKLOG_MS + fresh
    return this.#rows === 0 || performance.now() - this.#since >= (isBacklog ? backlog : fresh)
  }

  /** Adds the events of whole messages, in the order of the lane. Skips messages that were added before. */
  add(events: readonly Judged[]): void {
    let next = this.#begin
    let last: Judged | undefined
    for (const judged of events) {
      const { position, message } = judged
      // Events of one message are adjacent.
      if (message !== last?.message) {
        next = this.#next.get(message.app.id) ?? this.#begin
        last = judged
      }
      if (position < next) continue
      this.#next.set(message.app.id, position + 1)
      if (judged.fate !== 'duplicate' && !isExpired(judged)) this.#put(judged)
    }
  }

  /** Drops the cached covered positions: another buffer may have appended since. */
  forget(): void {
    this.#covered.clear()
  }

  /**
   * Appends everything that was added before the call. Rejects when the archive could not take it; the rows are then
   * kept for the next flush.
   */
  flush(lease: () => Lease): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush(lease()))
    this.#flushing = flushed.catch(() => undefined)
    return flushed
  }

  async #flush(lease: Lease): Promise<void> {
    if (this.#rows === 0) return
    this.#writingBytes += bytesOf(this.#buffers)
    this.#writing.push(this.#buffers)
    this.#buffers = new Map()
    this.#rows = this.#measuredRows = this.#measuredBytes = 0
    this.#receivedAt = 0
    try {
      for (; this.#writing.length > 0; this.#writing.shift()) await this.#append(lease, this.#writing[0]!)
      this.#writingBytes = 0
    } catch (error) {
      // Some spans may be visible and others not, so the covered positions must be read again.
      this.#covered.clear()
      for (const buffers of this.#writing) for (const { rows } of buffers.values()) this.#rows += rows
      throw error
    }
  }

  async #append(lease: Lease, buffers: Buffers): Promise<void> {
    const covered = await this.#readCovered(buffers)
    let chunks: EncodedChunk[] = []
    let bytes = 0
    const append = async (): Promise<void> => {
      if (chunks.length > 0) await this.#archive.append(lease, chunks)
      for (const {
        summary: { app, date, part },
      } of chunks)
        if (part === 0) this.#onAppended({ app, date })
      chunks = []
      bytes = 0
    }
    let turn = performance.now()
    for (const span of this.#spansOf(buffers, covered)) {
      chunks.push(...span)
      bytes += span.reduce(
        (sum, { columns }) => sum + [...columns.values()].reduce((length, cell) => length + cell.length, 0),
        0,
      )
      if (bytes >= APPEND_BYTES) await append()
      if (performance.now() - turn < TIME_SLICE_MS) continue
      await setImmediate()
      turn = performance.now()
    }
    await append()
    this.#remember(buffers, covered)
  }

  /** Yields the chunks of each span of the rows that the archive does not cover yet. */
  *#spansOf(buffers: Buffers, covered: ReadonlyMap<string, number>): Generator<EncodedChunk[]> {
    const now = Date.now()
    for (const [app, buffer] of buffers) {
      const coveredOf = (date: string): number => covered.get(keyOf(app, date))!
      const spans = [
        ...Map.groupBy(buffer.datesAbove(coveredOf), ({ date }) =>
          hasEnded(date, now) ? monthOf(date) : date,
        ).values(),
      ].map((dates) => spanOf(app, this.#lane, dates))
      const numbers = new Map(
        spans.flatMap(({ dates }, number) => dates.map(({ date }): [string, number] => [date, number])),
      )
      for (const chunks of encodeGroups(buffer, spans, (date, position) =>
        position > coveredOf(date) ? numbers.get(date) : undefined,
      ))
        yield chunks
    }
  }

  async #readCovered(buffers: Buffers): Promise<Map<string, number>> {
    const partitions = [...buffers].flatMap(([app, { dates }]) => dates.map((date) => ({ app, date })))
    const unknown = partitions.filter(({ app, date }) => !this.#covered.has(keyOf(app, date)))
    const read = unknown.length > 0 ? await this.#archive.covered(this.#lane, unknown) : []
    const covered = new Map(unknown.map(({ app, date }, index) => [keyOf(app, date), read[index]!]))
    for (const { app, date } of partitions)
      if (!covered.has(keyOf(app, date))) covered.set(keyOf(app, date), this.#covered.get(keyOf(app, date))!)
    return covered
  }

  #remember(buffers: Buffers, covered: ReadonlyMap<string, number>): void {
    if (this.#covered.size + covered.size > COVERED_MAX) this.#covered.clear()
    if (covered.size > COVERED_MAX) return
    for (const [app, buffer] of buffers) {
      for (const { date, last_position } of buffer.datesAbove(() => -1)) {
        const key = keyOf(app, date)
        this.#covered.set(key, Math.max(covered.get(key)!, last_position))
      }
    }
  }

  /** Returns the context with the verdict; events of a message with the same verdict share one object. */
  #contextOf(judged: Judged): Context {
    const { context } = judged.message.envelope
    const bot = botOf(judged)
    if (context.bot === bot) return context
    if (this.#judged?.sent !== context || this.#judged.context.bot !== bot)
      this.#judged = { sent: context, context: withVerdict(context, bot) }
    return this.#judged.context
  }

  #put(judged: Judged): void {
    const { position, index, event, date, visitor, message } = judged
    const { app, envelope } = message
    const { received_at } = envelope
    const context = this.#contextOf(judged)
    let buffer = this.#buffers.get(app.id)
    if (!buffer) this.#buffers.set(app.id, (buffer = new RowBuffer(app.id)))
    buffer.put({ event, device_id: visitor.device, user: visitor.user, context, received_at, position, index }, date)
    if (this.#rows++ === 0) this.#since = performance.now()
    this.#receivedAt = Math.max(this.#receivedAt, received_at)
  }
}

/**
 * Returns the reason why an event is a bot's; undefined for other events. Must only be called for events that pass
 * `isKept`.
 */
function botOf({ fate, reason }: Judged): BotReason | undefined {
  return fate === 'bot' ? (reason as BotReason) : undefined
}

function spanOf(app: string, lane: number, dates: readonly DateCover[]): SpanCover {
  return {
    app,
    lane,
    date: dates.reduce((first, { date }) => (date < first ? date : first), dates[0]!.date),
    first_position: dates.reduce((first, date) => Math.min(first, date.first_position), Infinity),
    last_position: dates.reduce((last, date) => Math.max(last, date.last_position), -1),
    dates: dates.map(({ date, first_position, last_position }) => ({ date, first_position, last_position })),
  }
}

function bytesOf(buffers: Buffers): number {
  let bytes = 0
  for (const buffer of buffers.values()) bytes += buffer.bytes
  return bytes
}

function keyOf(app: string, date: string): string {
  return `${app}\0${date}`
}
