import type { Client, types } from 'cassandra-driver'
import type { VisitorTableName } from '../../ports/table-definitions.ts'
import type { Lease, Partition, VisitorChange, WrittenOut } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { pagesOf, statement, type Statement } from '../client/statements.ts'
import { unpackVisitors, type VisitorRow } from './visitor-block.ts'
import { distinct, rowWrites } from './visitor-rows.ts'

/** Time that a block waits, so that a row that is in several blocks of this time is written once. */
const HELD_MS = 15_000
/** Pause after a failed write-out. */
const RETRY_MS = 30_000
/** Maximum number of rows in memory at a time; a block has 20,000 at most. */
const ROWS_IN_MEMORY_MAX = 40_000
const BLOCKS_PER_PAGE = 4
const FIRST_TOKEN = -(2n ** 63n)
const BATCH_CONCURRENCY = 8
/** Partitions beyond this number are not cached, but looked up again. */
const PARTITIONS_PER_LANE_MAX = 10_000

/**
 * A partition with blocks, and the time from which they are written out (`performance.now()`). `found` marks blocks
 * found in the store; new blocks are written out before them.
 */
interface Pending extends Partition {
  readonly dueAt: number
  readonly found: boolean
}

/** The known blocks of a lane. */
interface PackedLane {
  readonly epoch: number
  readonly pending: Map<string, Pending>
  /** true if blocks of earlier owners, and those that were not cached, still have to be looked up */
  unknown: boolean
}

/** Blocks of a partition that are written out together. */
interface Taken {
  readonly ids: readonly types.TimeUuid[]
  readonly changes: readonly VisitorChange[]
  /** true if the partition has further blocks */
  readonly more: boolean
}

/**
 * Writes the blocks of `visitor_blocks_by_date` out into the visitor tables, partition by partition, so that each table
 * is complete by itself. A block is deleted after its rows were written: after an interruption it is written again,
 * which is idempotent. The content of the partition does not change for a reader that joins rows and blocks, so neither
 * do the versions.
 */
export class PackedVisitors {
  readonly #client: Client
  readonly #heldMs: number
  readonly #lanes = new Map<number, PackedLane>()

  constructor(client: Client, heldMs = HELD_MS) {
    this.#client = client
    this.#heldMs = heldMs
  }

  /** Schedules a partition. Must be called before a block is written. */
  packed(lease: Lease, { app, date }: Partition): void {
    this.#remember(this.#laneOf(lease), { app, date, dueAt: performance.now() + this.#heldMs, found: false })
  }

  /** Writes out some blocks of the partition that is due first. Returns undefined if none is due. */
  async writeOut(lease: Lease, assertLease: () => void): Promise<WrittenOut | undefined> {
    const packed = this.#laneOf(lease)
    const due = await this.#due(packed, lease.lane)
    if (!due) return undefined
    packed.pending.delete(nameOf(due))
    try {
      const { blocks, rows, more } = await this.#writeOutSome(lease, due, assertLease)
      if (more) this.#remember(packed, due)
      return { blocks, rows }
    } catch (error) {
      this.#remember(packed, { ...due, dueAt: performance.now() + RETRY_MS })
      throw error
    }
  }

  async #writeOutSome(
    { lane }: Lease,
    partition: Partition,
    assertLease: () => void,
  ): Promise<WrittenOut & { readonly more: boolean }> {
    const { ids, changes, more } = await this.#take(lane, partition)
    const writes = changes.flatMap((change) => rowWrites(lane, change))
    await mapConcurrent(writes, BATCH_CONCURRENCY, (statements) => this.#write(statements, assertLease))
    if (ids.length > 0)
      await this.#write(
        ids.map((id) => dropOf(partition, lane, id)),
        assertLease,
      )
    return { blocks: ids.length, rows: changes.reduce((sum, { rows }) => sum + rows.length, 0), more }
  }

  /** Writes out all blocks of a partition, due or not. */
  async writeOutAll(lease: Lease, partition: Partition, assertLease: () => void): Promise<void> {
    for (let more = true; more;) more = (await this.#writeOutSome(lease, partition, assertLease)).more
  }

  /**
   * The state of a lane in this epoch. Blocks of other epochs are unknown: their owner may have written them until this
   * epoch began.
   */
  #laneOf({ lane, epoch }: Lease): PackedLane {
    let entry = this.#lanes.get(lane)
    if (entry?.epoch !== epoch) this.#lanes.set(lane, (entry = { epoch, pending: new Map(), unknown: true }))
    return entry
  }

  /** Adds a partition. If it is present already, the earlier entry stays. */
  #remember(packed: PackedLane, partition: Pending): void {
    const name = nameOf(partition)
    if (packed.pending.has(name)) return
    if (packed.pending.size < PARTITIONS_PER_LANE_MAX) packed.pending.set(name, partition)
    else packed.unknown = true
  }

  async #due(packed: PackedLane, lane: number): Promise<Pending | undefined> {
    if (packed.unknown) {
      packed.unknown = false
      await this.#find(packed, lane).catch((error: unknown) => {
        packed.unknown = true
        throw error
      })
    }
    const now = performance.now()
    let first: Pending | undefined
    for (const each of packed.pending.values()) if (each.dueAt <= now && (!first || isBefore(each, first))) first = each
    return first
  }

  async #find(packed: PackedLane, lane: number): Promise<void> {
    const now = performance.now()
    for await (const rows of pagesOf(this.#client, 'visitor-blocks-by-date.partitions', [FIRST_TOKEN])) {
      for (const row of rows) {
        if (row.get('lane') === lane)
          this.#remember(packed, {
            app: row.get('app') as string,
            date: String(row.get('date')),
            dueAt: now,
            found: true,
          })
      }
    }
  }

  async #take(lane: number, { app, date }: Partition): Promise<Taken> {
    const ids: types.TimeUuid[] = []
    const tables = new Map<VisitorTableName, VisitorRow[][]>()
    let rows = 0
    for await (const page of pagesOf(this.#client, 'visitor-blocks-by-date.read', [app, date, lane], {
      fetchSize: BLOCKS_PER_PAGE,
    })) {
      if (rows >= ROWS_IN_MEMORY_MAX) return { ids, changes: changesOf(tables, { app, date }), more: true }
      for (const row of page) {
        ids.push(row.get('id') as types.TimeUuid)
        for (const packed of unpackVisitors(row.get('block') as Uint8Array)) {
          if (packed.table === 'first_users') continue
          tables.set(packed.table, [...(tables.get(packed.table) ?? []), [...packed.rows]])
          rows += packed.rows.length
        }
      }
    }
    return { ids, changes: changesOf(tables, { app, date }), more: false }
  }

  async #write(statements: readonly Statement[], assertLease: () => void): Promise<void> {
    assertLease()
    await this.#client.batch([...statements], { prepare: true, logged: false, isIdempotent: true })
  }
}

function changesOf(
  tables: ReadonlyMap<VisitorTableName, readonly VisitorRow[][]>,
  partition: Partition,
): VisitorChange[] {
  return [...tables].map(([table, lists]) => ({
    table,
    app: partition.app,
    date: partition.date,
    rows: distinct(lists),
  }))
}

function dropOf({ app, date }: Partition, lane: number, id: types.TimeUuid): Statement {
  return { query: statement('visitor-blocks-by-date.drop'), params: [app, date, lane, id] }
}

/** Orders new blocks before those found in the store, and of the latter the later dates first. */
function isBefore(a: Pending, b: Pending): boolean {
  if (a.found !== b.found) return b.found
  return a.found ? a.date > b.date : a.dueAt < b.dueAt
}

function nameOf({ app, date }: Partition): string {
  return `${app}\0${date}`
}
