import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { decodeEnvelope, HopperError, type Envelope } from '@hopper/contracts'
import { decodeBlock } from '../embedded/block.ts'
import { ensureDirectory } from '../embedded/directory/data-directory.ts'
import { tryLockDirectory, type DirectoryLock } from '../embedded/directory/directory-lock.ts'
import { EmbeddedEventLog } from '../embedded/log/event-log.ts'
import { ensureLogIntact, type LossLogger } from '../embedded/intact/accept-loss.ts'
import { LOG_FILE } from '../embedded/intact/find-damage.ts'
import { isDamage, notOpened, openDatabase, transaction } from '../embedded/sqlite.ts'

const PLACES_MAX = 100

export interface DiskSpoolOptions {
  readonly dir: string
  readonly lanes: number
  readonly bytesMax: number
  /** goes on without what the disk has lost of what was spooled, and writes down what that was */
  readonly acceptLoss?: boolean
  readonly logger?: LossLogger | undefined
}

/** The oldest envelopes of a spool, each lane's in order, and what to forget once they are elsewhere. */
export interface SpooledRound {
  readonly envelopes: readonly Envelope[]
  /** the last block taken, by lane: its first position, and the position after it */
  readonly taken: ReadonlyMap<number, { readonly first: number; readonly next: number }>
  /** whether nothing else waited when this was read */
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
 * Envelopes on the local disk in the order in which they came, by lane: the embedded log in a directory of its own, of
 * which the oldest part is taken away again, up to a position that stands in the same file. What was acknowledged and
 * is neither there nor taken away is a loss, and noticed. Processes that share a directory, such as the replicas of one
 * service on one volume, have a numbered place each: the first that is free, so a process that starts again goes on
 * with what waits there.
 */
export class DiskSpool {
  readonly #lock: DirectoryLock
  readonly #log: EmbeddedEventLog
  readonly #file: string
  readonly #database: DatabaseSync
  readonly #lanes: readonly LaneStatements[]
  readonly #size: StatementSync
  readonly #bytesMax: number
  readonly #underWay = new Set<Promise<unknown>>()
  #nextLane = 0

  /**
   * @throws HopperError HOP_CONFIG when the directory cannot be had, every place in it is taken, or it was made for
   * another number of lanes; HOP_DATA_DAMAGED when it lacks what was acknowledged
   */
  constructor({ dir, lanes, bytesMax, acceptLoss = false, logger }: DiskSpoolOptions) {
    const place = takePlace(dir)
    this.#lock = place.lock
    try {
      this.#log = new EmbeddedEventLog(place.dir, lanes, ensureLogIntact({ dir: place.dir, lanes, acceptLoss, logger }))
    } catch (error) {
      this.#lock.release()
      throw notOpened(error)
    }
    this.#file = join(place.dir, LOG_FILE)
    this.#database = openDatabase(this.#file)
    // What is forgotten may come back after a power cut: it would be sent once more.
    this.#database.exec('PRAGMA synchronous = NORMAL')
    this.#size = this.#database.prepare(
      'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
    )
    this.#lanes = Array.from({ length: lanes }, (_, lane) => statementsOf(this.#database, lane))
    this.#bytesMax = bytesMax
  }

  /**
   * Resolves when the envelopes are synced. @throws HopperError HOP_LOG_UNAVAILABLE when the disk fails or the spool is
   * full
   */
  async append(envelopes: readonly Envelope[]): Promise<void> {
    if (this.full) throw new HopperError('HOP_LOG_UNAVAILABLE', 'The spool is full.')
    const written = this.#log.append(envelopes)
    this.#underWay.add(written)
    try {
      await written
    } finally {
      this.#underWay.delete(written)
    }
  }

  /** Resolves when what was appended before is synced or refused. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay)
  }

  /** Whether appends are under way whose outcome is not known yet. */
  get busy(): boolean {
    return this.#underWay.size > 0
  }

  /** Whether the bound is reached; what waits for one sync may go over it. */
  get full(): boolean {
    return this.bytes >= this.#bytesMax
  }

  /** bytes on disk in use; the file itself keeps the size that it once had */
  get bytes(): number {
    return (this.#size.get() as { bytes: number }).bytes
  }

  /** how many envelopes wait; positions of a lane have no gaps */
  get messages(): number {
    return this.#lanes.reduce((sum, { first, last }) => {
      const [begin, end] = [first.get(), last.get()] as ({ first: number; count: number } | undefined)[]
      return begin && end ? sum + end.first + end.count - begin.first : sum
    }, 0)
  }

  /** when the oldest envelope that waits was received, ms since the epoch; undefined when none waits */
  get oldest(): number | undefined {
    const times = this.#lanes.flatMap(({ blocks }) =>
      envelopesOf(blocks.get() as BlockRow | undefined)
        .slice(0, 1)
        .map(({ received_at }) => received_at),
    )
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /**
   * The oldest blocks of every lane up to about `bytesMax` before compression, beginning with another lane each time.
   * Nothing is taken away yet.
   */
  peek(bytesMax: number): SpooledRound {
    const envelopes: Envelope[] = []
    const taken = new Map<number, { first: number; next: number }>()
    const lanes = this.#lanes.length
    let bytes = 0
    let complete = true
    for (let at = 0; at < lanes; at++) {
      const lane = (this.#nextLane + at) % lanes
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

  /** Takes away what `peek` gave. */
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

/** Whether an error says that the files of a spool are damaged, which no retry mends. */
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
