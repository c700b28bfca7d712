import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { decodeEnvelope, HopperError, type Envelope } from '@hopper/contracts'
import { decodeBlock } from '../embedded/block.ts'
import { ensureDirectory } from '../embedded/directory/data-directory.ts'
import { tryLockDirectory, type DirectoryLock } from '../embedded/directory/directory-lock.ts'
import { EmbeddedEventLog } from '../embedded/log/event-log.ts'
import { ensureLogIntact, type LossLogger } from '../embedded/intact/accept-loss.ts'
import { LOG_FILE } from '../embedded/intact/find-damage.ts'
import { isDamage, openError, openDatabase, transaction } from '../embedded/sqlite.ts'

const PLACES_MAX = 100

export interface DiskSpoolOptions {
  readonly dir: string
  readonly lanes: number
  readonly bytesMax: number
  /** continues without the spooled data that the disk has lost, and records the loss */
  readonly acceptLoss?: boolean
  readonly logger?: LossLogger | undefined
}

/** The oldest envelopes of a spool, each lane's in order, and the blocks to delete once they are in the main log. */
export interface SpooledRound {
  readonly envelopes: readonly Envelope[]
  /** the last block taken, by lane: its first position, and the position after it */
  readonly taken: ReadonlyMap<number, { readonly first: number; readonly next: number }>
  /** true if nothing else was waiting when this was read */
  readonly complete: boolean
}

interface LaneStatements {
  readonly blocks: StatementSync
  readonly first: StatementSync
  readonly last: StatementSync
  readonly forget: StatementSync
  readonly start: StatementSync
}

/**
 * Envelopes on the local disk in order of arrival, by lane. It is the embedded log in its own directory, whose oldest
 * part is deleted up to a position recorded in the same file. An acknowledged envelope that is neither in the file nor
 * deleted is a loss, and is detected. Processes that share a directory, such as the replicas of one service on one
 * volume, use numbered places. Each takes the first free place, so a restarted process continues with the messages
 * waiting there.
 */
export class DiskSpool {
  readonly #lock: DirectoryLock
  readonly #log: EmbeddedEventLog
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #lanes: readonly LaneStatements[]
  readonly #size: StatementSync
  readonly #bytesMax: number
  readonly #inFlight = new Set<Promise<unknown>>()
  #nextLane = 0

  /**
   * @throws HopperError HOP_CONFIG when the directory cannot be used, every place in it is taken, or it was made for
   * a different number of lanes; HOP_DATA_DAMAGED when it lacks acknowledged envelopes
   */
  constructor({ dir, lanes, bytesMax, acceptLoss = false, logger }: DiskSpoolOptions) {
    const place = takePlace(dir)
    this.#lock = place.lock
    try {
      this.#log = new EmbeddedEventLog(place.dir, lanes, ensureLogIntact({ dir: place.dir, lanes, acceptLoss, logger }))
    } catch (error) {
      this.#lock.release()
      throw openError(error)
    }
    this.#file = join(place.dir, LOG_FILE)
    this.#database = openDatabase(this.#file)
    // After a power failure, deleted blocks may reappear and be sent once more.
    this.#database.exec('PRAGMA synchronous = NORMAL')
    this.#size = this.#database.prepare(
      'SELECT (page_count - freelist_count) * page_size AS bytes ' +
        'FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
    )
    this.#lanes = Array.from({ length: lanes }, (_, lane) => statementsOf(this.#database, lane))
    this.#bytesMax = bytesMax
  }

  /**
   * Resolves when the envelopes are synced.
   * @throws HopperError HOP_LOG_UNAVAILABLE when the disk fails or the spool is full
   */
  async append(envelopes: readonly Envelope[]): Promise<void> {
    if (this.full) throw new HopperError('HOP_LOG_UNAVAILABLE', 'The spool is full.')
    const written = this.#log.append(envelopes)
    this.#inFlight.add(written)
    try {
      await written
    } finally {
      this.#inFlight.delete(written)
    }
  }

  /** Resolves when all earlier appends are synced or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#inFlight)
  }

  /** True while appends are in flight. */
  get busy(): boolean {
    return this.#inFlight.size > 0
  }

  /** True when the limit is reached. Appends that wait for the same sync may exceed it. */
  get full(): boolean {
    return this.bytes >= this.#bytesMax
  }

  /** bytes in use on disk; the file itself does not shrink */
  get bytes(): number {
    return (this.#size.get() as { bytes: number }).bytes
  }

  /** number of waiting envelopes; positions of a lane have no gaps */
  get messages(): number {
    return this.#lanes.reduce((sum, { first, last }) => {
      const [begin, end] = [first.get(), last.get()] as ({ first: number; count: number } | undefined)[]
      return begin && end ? sum + end.first + end.count - begin.first : sum
    }, 0)
  }

  /** receipt time of the oldest waiting envelope, ms since the epoch; undefined if none waits */
  get oldest(): number | undefined {
    const times = this.#lanes.flatMap(({ blocks }) =>
      envelopesOf(blocks.get() as BlockRow | undefined)
        .slice(0, 1)
        .map(({ received_at }) => received_at),
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /**
   * The oldest blocks of every lane, up to about `bytesMax` before compression. Begins with a different lane each time.
   * Deletes nothing.
   */
  peek(bytesMax: number): SpooledRound {
    const envelopes: Envelope[] = []
    const taken = new Map<number, { first: number; next: number }>()
    const lanes = this.#lanes.length
    let bytes = 0
    let complete = true
    for (let index = 0; index < lanes; index++) {
      const lane = (this.#nextLane + index) % lanes
      let ofLane = 0
      for (const row of this.#lanes[lane]!.blocks.iterate() as Iterable<unknown> as Iterable<BlockRow>) {
        if (bytes + ofLane >= bytesMax || ofLane >= bytesMax / lanes) {
          complete = false
          break
        }
        const values = this.#valuesOf(lane, row)
        ofLane += values.reduce((sum, value) => sum + value.length, 0)
        for (const value of values) envelopes.push(decodeEnvelope(value))
        taken.set(lane, { first: row.first, next: row.first + row.count })
      }
      bytes += ofLane
    }
    this.#nextLane = (this.#nextLane + 1) % lanes
    return { envelopes, taken, complete }
  }

  #valuesOf(lane: number, { first, count, block }: BlockRow): Uint8Array[] {
    try {
      return decodeBlock(block, count)
    } catch (cause) {
      throw new HopperError(
        'HOP_DATA_DAMAGED',
        `${this.#file}: the block of lane ${lane} at position ${first} is not as it was written.`,
        { cause },
      )
    }
  }

  /** Deletes what `peek` returned. */
  forget({ taken }: SpooledRound): void {
    transaction(this.#database, () => {
      for (const [lane, { first, next }] of taken) {
        this.#lanes[lane]!.forget.run(first)
        this.#lanes[lane]!.start.run(next)
      }
    })
  }

  async close(): Promise<void> {
    await this.#log.close()
    this.#database.close()
    this.#lock.release()
  }
}

/** True for an error that means that the files of a spool are damaged, which no retry repairs. */
export function isSpoolDamage(error: unknown): error is Error {
  return isDamage(error) || (error instanceof HopperError && error.code === 'HOP_DATA_DAMAGED')
}

interface BlockRow {
  readonly first: number
  readonly count: number
  readonly block: Uint8Array
}

function statementsOf(database: DatabaseSync, lane: number): LaneStatements {
  const position = (order: string): StatementSync =>
    database.prepare(`SELECT first, count FROM lane_${lane} ORDER BY first ${order} LIMIT 1`)
  return {
    blocks: database.prepare(`SELECT first, count, block FROM lane_${lane} ORDER BY first`),
    first: position('ASC'),
    last: position('DESC'),
    forget: database.prepare(`DELETE FROM lane_${lane} WHERE first <= ?`),
    start: database.prepare(
      `INSERT INTO starts VALUES (${lane}, ?) ON CONFLICT DO UPDATE SET position = max(position, excluded.position)`,
    ),
  }
}

function envelopesOf(row: BlockRow | undefined): Envelope[] {
  return row ? decodeBlock(row.block, row.count).map((value) => decodeEnvelope(value)) : []
}

function takePlace(dir: string): { dir: string; lock: DirectoryLock } {
  for (let number = 0; number < PLACES_MAX; number++) {
    const place = join(dir, String(number))
    ensureDirectory(place, 'directory of the spool')
    const lock = tryLockDirectory(place)
    if (lock) return { dir: place, lock }
  }
  throw new HopperError('HOP_CONFIG', `${PLACES_MAX} processes spool to ${dir} already; name another directory.`)
}
