import type { Client, types } from 'cassandra-driver'
import type { VisitorTableName } from '../../ports/table-definitions.ts'
import type { Lease, Partition, VisitorChange, WrittenOut } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { pagesOf, statement, type Statement } from '../client/statements.ts'
import { unpackVisitors, type VisitorRow } from './visitor-block.ts'
import { distinct, rowWrites } from './visitor-rows.ts'

/** How long a block waits: rows that several blocks of the time have in common are written once. */
const HELD_MS = 15_000
/** What could not be written out is tried again after this time. */
const RETRY_MS = 30_000
/** Rows in memory at a time; a block has 20,000 at most. */
const ROWS_AT_ONCE = 40_000
const BLOCKS_PER_PAGE = 4
const FIRST_TOKEN = -(2n ** 63n)
const BATCHES_AT_ONCE = 8
/** More are not remembered, but looked for again. */
const PARTITIONS_PER_LANE_MAX = 10_000

/**
 * A partition that has blocks, and from when on they are written out (`performance.now()`); `found` are those of
 * before, which wait for what comes now.
 */
interface Pending extends Partition {
  readonly dueAt: number
  readonly found: boolean
}

/** What is known of a lane's blocks. */
interface PackedLane {
  readonly epoch: number
  readonly pending: Map<string, Pending>
  /** whether blocks of earlier owners, and what was not remembered, are still to be looked for */
  unknown: boolean
}

/** A partition's blocks, as far as they are taken at a time. */
interface Taken {
  readonly ids: readonly types.TimeUuid[]
  readonly changes: readonly VisitorChange[]
  /** whether there are more */
  readonly more: boolean
}

/**
 * Writes the blocks of `visitor_blocks_by_date` out into the tables of visitors, partition by partition, so that each
 * table is right by itself. A block is
 * deleted after its rows were written: cut anywhere, it is written again, which changes nothing. What the partition
 * holds does not change for a reader that
 * joins rows and blocks, so neither do the versions.
 */
export class PackedVisitors {
  readonly #client: Client
  readonly #heldMs: number
  readonly #lanes = new Map<number, PackedLane>()

  constructor(client: Client, heldMs = HELD_MS) {
    this.#client = client
    this.#heldMs = heldMs
  }

  /** To be called before a block is written. */
  packed(lease: Lease, { app, date }: Partition): void {
    this.#remember(this.#laneOf(lease), { app, date, dueAt: performance.now() + this.#heldMs, found: false })
  }

  /** Writes out some blocks of the partition that is due first; undefined when none is due. */
  async writeOut(lease: Lease, assertLease: () => void): Promise<WrittenOut | undefined> {
    const own = this.#laneOf(lease)
    const due = await this.#due(own, lease.lane)
    if (!due) return undefined
    own.pending.delete(nameOf(due))
    try {
      const { blocks, rows, more } = await this.#writeOutSome(lease, due, assertLease)
      if (more) this.#remember(own, due)
      return { blocks, rows }
    } catch (error) {
      this.#remember(own, { ...due, dueAt: performance.now() + RETRY_MS })
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
    await mapConcurrent(writes, BATCHES_AT_ONCE, (statements) => this.#write(statements, assertLease))
    if (ids.length > 0)
      await this.#write(
        ids.map((id) => dropOf(partition, lane, id)),
        assertLease,
      )
    return { blocks: ids.length, rows: changes.reduce((sum, { rows }) => sum + rows.length, 0), more }
  }

  /** Writes out all blocks of a partition, whenever they are due. */
  async writeOutAll(lease: Lease, partition: Partition, assertLease: () => void): Promise<void> {
    for (let more = true; more;) more = (await this.#writeOutSome(lease, partition, assertLease)).more
  }

  /** What blocks of other epochs there are is not known: their owner may have written them until ours began. */
  #laneOf({ lane, epoch }: Lease): PackedLane {
    let own = this.#lanes.get(lane)
    if (own?.epoch !== epoch) this.#lanes.set(lane, (own = { epoch, pending: new Map(), unknown: true }))
    return own
  }

  /** Of two marks the earlier stays. */
  #remember(own: PackedLane, partition: Pending): void {
    const name = nameOf(partition)
    if (own.pending.has(name)) return
    if (own.pending.size < PARTITIONS_PER_LANE_MAX) own.pending.set(name, partition)
    else own.unknown = true
  }

  async #due(own: PackedLane, lane: number): Promise<Pending | undefined> {
    if (own.unknown) {
      own.unknown = false
      await this.#find(own, lane).catch((error: unknown) => {
        own.unknown = true
        throw error
      })
    }
    const now = performance.now()
    let first: Pending | undefined
    for (const each of own.pending.values()) if (each.dueAt <= now && (!first || isBefore(each, first))) first = each
    return first
  }

  async #find(own: PackedLane, lane: number): Promise<void> {
    const now = performance.now()
    for await (const rows of pagesOf(this.#client, 'visitor-blocks-by-date.partitions', [FIRST_TOKEN])) {
      for (const row of rows) {
        if (row.get('lane') === lane)
          this.#remember(own, { app: row.get('app') as string, date: String(row.get('date')), dueAt: now, found: true })
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
      if (rows >= ROWS_AT_ONCE) return { ids, changes: changesOf(tables, { app, date }), more: true }
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

/** What has just been counted comes before what was found, and of that the later dates come first. */
function isBefore(a: Pending, b: Pending): boolean {
  if (a.found !== b.found) return b.found
  return a.found ? a.date > b.date : a.dueAt < b.dueAt
}

function nameOf({ app, date }: Partition): string {
  return `${app}\0${date}`
}
