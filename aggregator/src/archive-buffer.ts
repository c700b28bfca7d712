import type { EncodedChunk } from '@hopper/contracts'
import { encodeBuffer, RowBuffer } from '@hopper/engine'
import type { Archive, Lease, Partition } from '@hopper/storage'
import { ByPartition } from './by-partition.ts'
import type { Judged } from './judge.ts'

/** Rows that a lane holds back at most: as many make a chunk that is worth its cells. All lanes of a process together hold back so many, some 70 MB. */
const LANE_ROWS_MAX = 20_000
const ROWS_MAX = 160_000
/** Events that were received longer ago come from a backlog: they are no news, so they wait for each other and make larger chunks. */
const BACKLOG_MS = 5_000
const BACKLOG_HELD_MS = 3_000
const PARTITIONS_MAX = 20_000

/** Rows that each of so many lanes may hold back. */
export function rowsHeldMax(lanes: number): number {
  return Math.min(LANE_ROWS_MAX, Math.ceil(ROWS_MAX / Math.max(1, lanes)))
}

interface Buffered extends Partition {
  readonly buffer: RowBuffer
}

/**
 * The events of a lane on their way into the archive. They are held back so that chunks are not tiny, and appended exactly once: the archive tells which
 * positions it covers, so what is delivered again, by a crash or a failed write, adds nothing.
 */
export class ArchiveBuffer {
  readonly #archive: Archive
  readonly #lane: number
  readonly #appended: (partition: Partition) => void
  readonly #heldMs: number
  readonly #covered = new Map<string, number>()
  #partitions = nothing()
  /** what is being written, and what could not be written before it */
  readonly #taken: ByPartition<Buffered>[] = []
  #rows = 0
  /** when the first of them was taken in (`performance.now()`), and the latest receipt of any (ms) */
  #since = 0
  #receivedAt = 0
  /** the next message to take in */
  #next: number
  #flushing: Promise<void> = Promise.resolve()

  /** `appended` is told of each span that became visible; events wait `heldMs` for others */
  constructor(archive: Archive, lane: number, position: number, heldMs: number, appended: (partition: Partition) => void) {
    this.#archive = archive
    this.#lane = lane
    this.#next = position
    this.#heldMs = heldMs
    this.#appended = appended
  }

  get rows(): number {
    return this.#rows
  }

  /** Whether what is held back should not wait for more. */
  get ripe(): boolean {
    const backlog = Date.now() - this.#receivedAt >= BACKLOG_MS + this.#heldMs
    return this.#rows === 0 || performance.now() - this.#since >= (backlog ? Math.max(this.#heldMs, BACKLOG_HELD_MS) : this.#heldMs)
  }

  /** Takes in the events of whole messages, in the order of the lane. Messages that it has had are passed over. */
  add(events: readonly Judged[]): void {
    const next = this.#next
    for (const judged of events) {
      if (judged.position < next) continue
      this.#next = judged.position + 1
      if (judged.fate !== 'duplicate') this.#put(judged)
    }
  }

  /** Appends all that was taken in before the call. Rejects when the archive could not take it; it is held for the next time then. */
  flush(lease: () => Lease): Promise<void> {
    const flushed = this.#flushing.then(() => this.#flush(lease()))
    this.#flushing = flushed.catch(() => undefined)
    return flushed
  }

  async #flush(lease: Lease): Promise<void> {
    if (this.#rows === 0) return
    this.#taken.push(this.#partitions)
    this.#partitions = nothing()
    this.#rows = 0
    this.#receivedAt = 0
    try {
      for (; this.#taken.length > 0; this.#taken.shift()) await this.#append(lease, this.#taken[0]!.values())
    } catch (error) {
      // Some spans may be visible and others not: what is true must be read again.
      this.#covered.clear()
      for (const { buffer } of this.#taken.flatMap((taken) => taken.values())) this.#rows += buffer.rows
      throw error
    }
  }

  async #append(lease: Lease, taken: readonly Buffered[]): Promise<void> {
    await this.#readCovered(taken)
    const chunks = taken.flatMap((buffered) => this.#missingOf(buffered))
    if (chunks.length > 0) await this.#archive.append(lease, chunks)
    for (const { summary: { app, date, part } } of chunks) if (part === 0) this.#appended({ app, date })
    for (const { app, date, buffer } of taken) {
      const key = keyOf(app, date)
      this.#covered.set(key, Math.max(this.#covered.get(key)!, lastPosition(buffer)))
    }
  }

  /** The chunks of what the archive does not cover yet. */
  #missingOf({ app, date, buffer }: Buffered): EncodedChunk[] {
    const covered = this.#covered.get(keyOf(app, date))!
    let first = 0
    while (first < buffer.rows && buffer.positionOf(first) <= covered) first++
    if (first === buffer.rows) return []
    return encodeBuffer(buffer, { app, date, lane: this.#lane, first_position: buffer.positionOf(first), last_position: lastPosition(buffer) }, first)
  }

  async #readCovered(taken: readonly Buffered[]): Promise<void> {
    if (this.#covered.size + taken.length > PARTITIONS_MAX) this.#covered.clear()
    const unknown = taken.filter(({ app, date }) => !this.#covered.has(keyOf(app, date)))
    if (unknown.length === 0) return
    const covered = await this.#archive.covered(this.#lane, unknown.map(({ app, date }) => ({ app, date })))
    unknown.forEach(({ app, date }, at) => this.#covered.set(keyOf(app, date), covered[at]!))
  }

  #put({ position, index, message: { envelope, app }, event, date, visitor }: Judged): void {
    const { context, received_at } = envelope
    this.#partitions.of(app.id, date).buffer.put({ event, device_id: visitor.device, user: visitor.user, context, received_at, position, index })
    if (this.#rows++ === 0) this.#since = performance.now()
    this.#receivedAt = Math.max(this.#receivedAt, received_at)
  }
}

function nothing(): ByPartition<Buffered> {
  return new ByPartition((partition) => ({ ...partition, buffer: new RowBuffer(partition.app) }))
}

function keyOf(app: string, date: string): string {
  return `${app}\0${date}`
}

function lastPosition(buffer: RowBuffer): number {
  return buffer.positionOf(buffer.rows - 1)
}
