import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { BroadcastChannel, type Worker } from 'node:worker_threads'
import { encodeEnvelope, HopperError, laneOf, type Envelope } from '@hopper/contracts'
import type { Appended, EventLog, LaneConsumer, LaneMessage, LogMessage, Subscription } from '../../ports/event-log.ts'
import type { PositionRange } from '../../position-range.ts'
import { decodeBlock, encodeBlock } from '../block.ts'
import { FilesInPlace } from '../directory/files-in-place.ts'
import { LaneReaders, type LaneLogger } from './lane-readers.ts'
import { LOG_FILE, LOG_RECORD } from '../intact/find-damage.ts'
import { endOf, identify, lossesOf, prepareLog, startOf, subtractLosses } from './log-schema.ts'
import type { AppendReply, AppendRequest } from './log-writer.ts'
import { openDatabase, transaction, truncateWal } from '../sqlite.ts'
import { endThread, startThread } from '../threads/thread.ts'

const WAITING_BYTES_MAX = 256_000_000
const ANNOUNCE_MS = 5
const WATCH_MS = 1_000

interface Waiting {
  readonly lanes: readonly number[]
  readonly values: readonly Uint8Array[]
  readonly bytes: number
  readonly settled: Promise<Appended[]>
  readonly resolve: (appended: Appended[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * The log on SQLite. A separate thread writes and syncs all queued appends, so the caller's event loop never waits for
 * the disk.
 */
export class EmbeddedEventLog implements EventLog {
  readonly lanes: number
  readonly #file: string
  readonly #recordFile: string
  readonly #installation: string
  readonly #database: DatabaseSync
  readonly #reads: StatementSync[]
  /** positions that a lane is known not to have */
  readonly #absent: readonly (readonly PositionRange[])[]
  readonly #channel: BroadcastChannel
  readonly #logger: Partial<LaneLogger> | undefined
  readonly #subscriptions = new Set<LaneReaders>()
  #writer: Worker | undefined
  #failure: Error | undefined
  #refusal: Error | undefined
  #waiting: Waiting[] = []
  #waitingBytes = 0
  /** the appends that the thread is writing now */
  #inFlight: readonly Waiting[] = []
  #announcing: NodeJS.Timeout | undefined
  #watching: NodeJS.Timeout | undefined

  /** `installation` is the id for a new log; `logger` receives what happens to the lanes of subscriptions */
  constructor(dir: string, lanes: number, installation: string = randomUUID(), logger?: Partial<LaneLogger>) {
    this.lanes = lanes
    this.#logger = logger
    this.#file = join(dir, LOG_FILE)
    this.#recordFile = join(dir, LOG_RECORD)
    this.#database = openDatabase(this.#file)
    prepareLog(this.#database, lanes)
    this.#installation = identify(this.#database, installation)
    const each = <T>(make: (lane: number) => T): T[] => Array.from({ length: lanes }, (_, lane) => make(lane))
    this.#reads = each((lane) => this.#database.prepare(blocksFrom(lane)))
    this.#absent = each((lane) => [
      { first: 0, next: startOf(this.#database, lane) },
      ...lossesOf(this.#database, lane),
    ])
    this.#channel = new BroadcastChannel(`hopper-log:${this.#file}`)
    this.#channel.onmessage = () => this.#wake()
    this.#channel.unref()
  }

  /** set once the log no longer accepts appends, with the reason */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** the reason why the disk refused the last append; undefined if it did not */
  get refusal(): Error | undefined {
    return this.#refusal
  }

  /** the reason why a lane of a subscription is stalled; undefined while all are read */
  get stalled(): Error | undefined {
    return [...this.#subscriptions].map(({ failure }) => failure).find((failure) => failure !== undefined)
  }

  append(envelopes: readonly Envelope[]): Promise<readonly Appended[]> {
    return this.appendMessages(
      envelopes.map((envelope) => ({
        lane: laneOf(envelope.app, envelope.device_id, this.lanes),
        value: encodeEnvelope(envelope),
      })),
    )
  }

  appendMessages(messages: readonly LaneMessage[]): Promise<readonly Appended[]> {
    if (messages.length === 0) return Promise.resolve([])
    if (this.#failure) return Promise.reject(unavailable(this.#failure))
    const lanes: number[] = []
    const values: Uint8Array[] = []
    let bytes = 0
    for (const { lane, value } of messages) {
      lanes.push(lane)
      values.push(value)
      bytes += value.length
    }
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX)
      return Promise.reject(new HopperError('HOP_LOG_UNAVAILABLE', 'The queue of appends for the disk is full.'))
    this.#waitingBytes += bytes
    const { promise, resolve, reject } = Promise.withResolvers<Appended[]>()
    if (this.#waiting.push({ lanes, values, bytes, settled: promise, resolve, reject }) === 1)
      void setImmediate().then(() => this.#send())
    return promise
  }

  async subscribe(consumer: LaneConsumer): Promise<Subscription> {
    const readers = new LaneReaders(this.lanes, consumer, (...args) => this.#read(...args), this.#logger)
    this.#subscriptions.add(readers)
    await readers.start()
    return {
      close: async () => {
        this.#subscriptions.delete(readers)
        await readers.close()
      },
    }
  }

  async read(lane: number, from: number, limit: number, bytesMax?: number): Promise<readonly LogMessage[]> {
    return this.#read(lane, from, limit, bytesMax)
  }

  /** Checks each second that the files are still in place. If one is not, refuses all further appends. */
  watch(files: FilesInPlace): void {
    clearInterval(this.#watching)
    this.#watching = setInterval(() => {
      const moved = files.moved()
      if (moved) this.#fail(moved)
    }, WATCH_MS).unref()
  }

  async rewrite(lane: number, messages: readonly LogMessage[]): Promise<void> {
    const blocks = Map.groupBy(messages, ({ position }) => this.#blockOf(lane, position))
    // Overwritten values must not stay in free parts of the file.
    this.#database.exec('PRAGMA secure_delete = ON')
    for (const [first, values] of blocks) {
      if (first === undefined) continue
      transaction(this.#database, () => this.#rewriteBlock(lane, first, values))
      await setImmediate()
    }
  }

  async ends(): Promise<readonly number[]> {
    return this.endsNow()
  }

  /** Moves the write-ahead log into the file and empties it. */
  scrub(): Promise<void> {
    return truncateWal(this.#database, this.#file)
  }

  endsNow(): number[] {
    return Array.from({ length: this.lanes }, (_, lane) => endOf(this.#database, lane))
  }

  async close(): Promise<void> {
    clearInterval(this.#watching)
    await Promise.all([...this.#subscriptions].map((readers) => readers.close()))
    this.#subscriptions.clear()
    const drained = this.#drained()
    this.#failure ??= new Error('the log is closed')
    await drained
    if (this.#writer) await endThread(this.#writer)
    if (this.#announcing) this.#announce()
    this.#channel.close()
    this.#database.close()
  }

  #read(lane: number, from: number, limit: number, bytesMax = Infinity): LogMessage[] {
    const messages: LogMessage[] = []
    let bytes = 0
    let expected = from
    for (const row of this.#reads[lane]!.iterate(from)) {
      const { first, count, block } = row as unknown as { first: number; count: number; block: Uint8Array }
      if (first + count <= from) continue
      if (first > expected) this.#assertAbsent(lane, { first: expected, next: first })
      expected = first + count
      const { values, ...flags } = readBlock(block, count)
      for (let index = Math.max(0, from - first); index < count; index++) {
        const value = values[index]!
        bytes += value.length
        if (messages.length >= limit || (messages.length > 0 && bytes > bytesMax)) return messages
        messages.push({ position: first + index, value, ...flags })
      }
    }
    return messages
  }

  /** Returns the first position of the block that may contain a position. */
  #blockOf(lane: number, position: number): number | undefined {
    const found = this.#database.prepare(`SELECT max(first) AS first FROM lane_${lane} WHERE first <= ?`).get(position)
    return (found?.['first'] as number | null | undefined) ?? undefined
  }

  #rewriteBlock(lane: number, first: number, messages: readonly LogMessage[]): void {
    const row = this.#database.prepare(`SELECT count, block FROM lane_${lane} WHERE first = ?`).get(first)
    const { count, block } = row as { count: number; block: Uint8Array }
    const values = decodeBlock(block, count)
    for (const { position, value } of messages) if (position - first < count) values[position - first] = value
    this.#database.prepare(`UPDATE lane_${lane} SET block = ? WHERE first = ?`).run(encodeBlock(values), first)
  }

  /** Throws for a gap that nobody has accepted: its messages were acknowledged. */
  #assertAbsent(lane: number, hole: PositionRange): void {
    const [missing] = subtractLosses(hole, this.#absent[lane]!)
    if (!missing) return
    throw new HopperError(
      'HOP_DATA_DAMAGED',
      `${this.#file} lacks positions ${missing.first} to ${missing.next - 1} of lane ${lane}.`,
    )
  }

  /** Resolves when everything appended before is durable or refused. */
  async #drained(): Promise<void> {
    this.#send()
    await Promise.allSettled([...this.#inFlight, ...this.#waiting].map(({ settled }) => settled))
  }

  /**
   * Sends all appends that arrived while the thread was busy as one message with one buffer. The thread syncs once for
   * all of them.
   */
  #send(): void {
    const group = this.#waiting
    if (group.length === 0 || this.#inFlight.length > 0) return
    this.#waiting = []
    const lanes = Int32Array.from(group.flatMap((each) => each.lanes))
    const values = group.flatMap((each) => each.values)
    const bytes = new Uint8Array(group.reduce((sum, each) => sum + each.bytes, 0))
    let offset = 0
    for (const value of values) {
      bytes.set(value, offset)
      offset += value.length
    }
    const request: AppendRequest = { lanes, lengths: Int32Array.from(values, (value) => value.length), bytes }
    this.#inFlight = group
    this.#thread().postMessage(request, [bytes.buffer])
  }

  #thread(): Worker {
    if (this.#writer) return this.#writer
    this.#writer = startThread(new URL('./log-writer', import.meta.url), {
      file: this.#file,
      lanes: this.lanes,
      recordFile: this.#recordFile,
      installation: this.#installation,
    })
    if (!this.#watching) this.watch(new FilesInPlace([this.#file]))
    this.#writer.on('message', (reply: AppendReply) => this.#receive(reply))
    this.#writer.on('error', (error) => this.#fail(error as Error))
    this.#writer.on('exit', () => this.#fail(new Error('the thread of the log has ended')))
    return this.#writer
  }

  #receive(reply: AppendReply): void {
    const group = this.#inFlight
    this.#inFlight = []
    for (const each of group) this.#waitingBytes -= each.bytes
    this.#send()
    this.#refusal = 'error' in reply ? new Error(reply.error) : undefined
    if ('error' in reply) {
      for (const each of group) each.reject(unavailable(new Error(reply.error)))
      return
    }
    let index = 0
    for (const each of group) each.resolve(each.lanes.map((lane) => ({ lane, position: reply.positions[index++]! })))
    this.#wake()
    this.#announcing ??= setTimeout(() => this.#announce(), ANNOUNCE_MS)
  }

  /** Wakes the subscribers of other threads, some ms late, so that a stream of appends does not cost a message each. */
  #announce(): void {
    clearTimeout(this.#announcing)
    this.#announcing = undefined
    this.#channel.postMessage(0)
  }

  #wake(): void {
    for (const readers of this.#subscriptions) readers.wake()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const each of [...this.#inFlight, ...this.#waiting]) each.reject(unavailable(error))
    this.#inFlight = []
    this.#waiting = []
  }
}

/**
 * Decodes a block. A block that the disk has corrupted must not stop its lane: each of its messages is returned as the
 * corrupt bytes, which the reader turns into a dead letter.
 */
function readBlock(block: Uint8Array, count: number): { values: Uint8Array[]; isDamaged?: true } {
  try {
    return { values: decodeBlock(block, count) }
  } catch {
    return { values: new Array<Uint8Array>(count).fill(block), isDamaged: true }
  }
}

function unavailable(cause: Error): HopperError {
  return new HopperError('HOP_LOG_UNAVAILABLE', undefined, { cause })
}

/** Selects the block that contains a position, and all after it. */
function blocksFrom(lane: number): string {
  return `SELECT first, count, block FROM lane_${lane}
    WHERE first >= (SELECT coalesce(max(first), 0) FROM lane_${lane} WHERE first <= ?) ORDER BY first`
}
