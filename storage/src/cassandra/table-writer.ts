import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import type {
  CounterChange,
  CounterPartition,
  ExpiredTables,
  Identity,
  LaneBatch,
  Lease,
  Partition,
  RemovedIdentities,
  SeenReplacement,
  SessionChange,
  TableWriter,
  VisitorChange,
  WrittenOut,
} from '../ports/tables.ts'
import { identitiesWithout } from '../identities-without.ts'
import { visitorTableNames } from '../ports/table-definitions.ts'
import { assertLeaseHolds } from '../lane-lease.ts'
import { mapConcurrent } from './client/map-concurrent.ts'
import { GENERATION, idempotentWrites, identityRemovals } from './idempotent-writes.ts'
import { identitiesOf } from './identities-of.ts'
import { splitByCount } from './client/batches.ts'
import { countedDates, expiryStatements, generationOfDevices } from './expired-dates.ts'
import { PackedVisitors } from './visitors/packed-visitors.ts'
import { SeenIds } from './seen/seen-ids.ts'
import { SessionRows } from './sessions/sessions.ts'
import type { CassandraSettings } from './client/settings.ts'
import { frozenNodesOf, type FrozenNodes } from './client/nodes/frozen-nodes.ts'
import { pagesOf, queryFile, rowsOf, statement, type Statement } from './client/statements.ts'
import { bumpVersionsOfRemoved, bumpVersions } from './visitors/versions.ts'
import { packVisitors } from './visitors/visitor-block.ts'
import { DeltaNumbers, deltaWrite } from './visitors/visitor-deltas.ts'
import { identityParts, NO_DATE, visitorParts } from './visitors/visitor-parts.ts'
import { PACKED_ROWS_MIN, readVisitorRows, rowRemovals, visitorWrites } from './visitors/visitor-rows.ts'
import { storedRows } from './counters/counter-rows.ts'
import {
  emptyKeys,
  isRemovable,
  KeyGenerations,
  parseStoredKey,
  removableTables,
  storedKey,
} from './counters/key-generations.ts'
import { Watermarks } from './counters/watermarks.ts'

const WRITE_CONCURRENCY = 128
/** number of visitor partitions that are in memory at the same time */
const READ_CONCURRENCY = 4
const LETTERS_PER_BATCH = 100
const KEYS_PER_REMOVAL = 50

/** Writes a lane's batches to Cassandra, counters exactly once (docs/guarantees.md, section 3). */
export class CassandraTableWriter implements TableWriter {
  readonly hasSessionsByLane = true
  readonly #client: Client
  readonly #settings: CassandraSettings
  readonly #frozen: FrozenNodes
  readonly #seen: SeenIds
  readonly #sessions = new SessionRows()
  readonly #deltas = new DeltaNumbers()
  readonly #packed: PackedVisitors
  readonly #packedRowsMin: number
  readonly #lanes = new Map<number, Watermarks>()
  readonly #generations = new Map<number, KeyGenerations>()

  constructor(client: Client, settings: CassandraSettings, frozen = frozenNodesOf(client, settings)) {
    this.#client = client
    this.#settings = settings
    this.#frozen = frozen
    this.#seen = new SeenIds(client, settings.packedIdsMin)
    this.#packed = new PackedVisitors(client, settings.packedMs)
    this.#packedRowsMin = settings.packedRowsMin ?? PACKED_ROWS_MIN
  }

  applied(lane: number, partitions: readonly CounterPartition[]): Promise<readonly number[]> {
    return this.#watermarksOf(lane).read(partitions)
  }

  async firstPositions(
    lane: number,
    partition: Partition,
    eventIds: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    const found = await this.#seen.find(lane, partition, eventIds)
    return new Map([...found].map(([id, { position }]) => [id, position]))
  }

  seenIds(lane: number, partition: Partition): AsyncIterable<readonly string[]> {
    return this.#seen.ids(lane, partition)
  }

  async *identifiedDevices(lane: number, app: string): AsyncIterable<readonly string[]> {
    for await (const rows of pagesOf(this.#client, 'identity.firstUsers', [app, lane]))
      yield rows.map((row) => row.get('device') as string)
  }

  async identities(app: string, devices: readonly string[], before: number): Promise<ReadonlyMap<string, Identity>> {
    const found = new Map<string, Identity>()
    await mapConcurrent(devices, WRITE_CONCURRENCY, async (device) => {
      const [row] = await rowsOf(this.#client, 'identity.lastBefore', [app, device, BigInt(before)])
      if (row) found.set(device, { user: row.get('user') as string, place: Number(row.get('place')) })
    })
    return found
  }

  async apply(lease: Lease, batch: LaneBatch): Promise<void> {
    const watermarks = this.#watermarksOf(lease.lane)
    watermarks.enter(lease.epoch)
    await watermarks.check(batch.counters)
    assertLeaseHolds(lease)
    const visitors = this.#deltas.number(lease, visitorParts(batch.visitors))
    const identities = this.#deltas.number(lease, identityParts(batch.identities))
    for (const part of visitors) if (part.rows >= this.#packedRowsMin) this.#packed.packed(lease, part)
    const idempotent = [
      ...this.#seen.writes(batch),
      ...visitorWrites(lease.lane, visitors, this.#packedRowsMin),
      ...this.#sessions.writes(lease, batch),
      ...idempotentWrites(batch),
      ...identities.map((delta) => [deltaWrite(lease.lane, delta, packVisitors(delta.changes))]),
    ]
    await mapConcurrent(idempotent, WRITE_CONCURRENCY, (statements) => this.#writeIdempotent(statements))
    watermarks.doubt(batch.counters)
    await this.#count(lease, batch.counters, watermarks)
    // Again: a concurrent batch of the lane, with other apps, may have settled these dates before they were counted.
    watermarks.doubt(batch.counters)
    const { unsure: counted } = watermarks
    await bumpVersions(this.#client, lease.lane, [...visitors, ...identities], [...counted, ...batch.visitors])
    watermarks.settle(counted)
  }

  writeOut(lease: Lease): Promise<WrittenOut | undefined> {
    return this.#packed.writeOut(lease, () => assertLeaseHolds(lease))
  }

  /**
   * Removes rows. Blocks that contain them are written out first: readers would still find a removed row in its block.
   * Deltas are removed too: readers then read the whole partition.
   */
  async removeVisitors(lease: Lease, changes: readonly VisitorChange[]): Promise<void> {
    const assertLease = (): void => assertLeaseHolds(lease)
    for (const { app, date } of changes) {
      await this.#packed.writeOutAll(lease, { app, date }, assertLease)
      await this.#removeDeltas(lease, { app, date })
    }
    const removals = (
      await mapConcurrent(changes, READ_CONCURRENCY, async (change) => {
        const present = await readVisitorRows(this.#client, { ...change, lane: lease.lane, prefix: [] })
        return rowRemovals(lease.lane, change, present)
      })
    ).flat()
    await mapConcurrent(removals, WRITE_CONCURRENCY, (statements) => {
      assertLease()
      return this.#writeIdempotent(statements)
    })
    await bumpVersionsOfRemoved(this.#client, lease.lane, changes)
  }

  async removeEmptyCounters(lease: Lease, { app, date }: Partition): Promise<void> {
    const generations = this.#generationsOf(lease)
    for (const table of removableTables) {
      const file = queryFile(table)
      const rows = storedRows(table, await rowsOf(this.#client, `${file}.read`, [app, date, lease.lane]))
      const empty = emptyKeys(rows)
      const present = await generations.of(app)
      assertLeaseHolds(lease)
      if (empty.flat().some((key) => parseStoredKey(key).generation === present)) await generations.begin(app)
      const query = statement(`${file}.remove`)
      // One batch per key, which is atomic in a partition: the rows add up to zero only together, not one by one.
      await mapConcurrent(splitByCount(empty, KEYS_PER_REMOVAL), WRITE_CONCURRENCY, (keys) => {
        assertLeaseHolds(lease)
        return this.#writeIdempotent(keys.flat().map((key) => ({ query, params: [app, date, lease.lane, ...key] })))
      })
    }
  }

  async removeIdentities(lease: Lease, removed: RemovedIdentities): Promise<void> {
    const { app, device, ranges } = removed
    const { gone, remaining } = identitiesWithout(await identitiesOf(this.#client, app, device), ranges)
    if (gone.length === 0) return
    assertLeaseHolds(lease)
    await this.#removeDeltas(lease, { app, date: NO_DATE })
    await this.#client.batch(identityRemovals(lease.lane, removed, gone, remaining), {
      prepare: true,
      logged: true,
      isIdempotent: true,
    })
    await bumpVersionsOfRemoved(this.#client, lease.lane, [{ app, date: NO_DATE, table: 'first_users', rows: [] }])
  }

  async replaceSeen(lease: Lease, partition: Partition, replacements: readonly SeenReplacement[]): Promise<void> {
    assertLeaseHolds(lease)
    await this.#seen.replace(lease.lane, partition, replacements)
  }

  async replaceSessions(
    lease: Lease,
    app: string,
    ids: readonly string[],
    sessions: readonly SessionChange[],
    before: number,
  ): Promise<void> {
    const writes = await this.#sessions.replacements(this.#client, lease, { app, ids, before }, sessions)
    await mapConcurrent(writes, WRITE_CONCURRENCY, (statements) => {
      assertLeaseHolds(lease)
      return this.#writeIdempotent(statements)
    })
  }

  async removeDeadLetters(lane: number, positions: readonly number[]): Promise<void> {
    const query = statement('dead-letters.remove')
    const removals = splitByCount(positions, LETTERS_PER_BATCH).map((some) =>
      some.map((position) => ({ query, params: [lane, BigInt(position)] })),
    )
    await mapConcurrent(removals, WRITE_CONCURRENCY, (statements) => this.#writeIdempotent(statements))
  }

  datesOf(lane: number, app: string, from: string, before: string): Promise<readonly string[]> {
    return countedDates(this.#client, { lane, app, from, before })
  }

  /** Writes out blocks first: one that is written out afterwards would add expired rows again. */
  async expire(lease: Lease, partition: Partition, tables: ExpiredTables): Promise<boolean> {
    const assertLease = (): void => assertLeaseHolds(lease)
    if (tables === 'counted') await this.#packed.writeOutAll(lease, partition, assertLease)
    await mapConcurrent(expiryStatements(lease.lane, partition, tables), WRITE_CONCURRENCY, ({ query, params }) => {
      assertLease()
      return this.#client.execute(query, params, { prepare: true, isIdempotent: true })
    })
    const emptied = tables === 'counted' ? visitorTableNames.map((table) => ({ ...partition, table, rows: [] })) : []
    await bumpVersionsOfRemoved(this.#client, lease.lane, emptied)
    await bumpVersions(this.#client, lease.lane, [], [partition])
    return false
  }

  async expireSessions(lease: Lease, app: string, ids: readonly string[], before: number): Promise<readonly string[]> {
    const { removals, reaching } = await this.#sessions.expired(this.#client, lease, app, ids, before)
    await mapConcurrent(removals, WRITE_CONCURRENCY, (statements) => {
      assertLeaseHolds(lease)
      return this.#writeIdempotent(statements)
    })
    return reaching
  }

  devicesWithIdentities(lane: number, app: string): AsyncIterable<readonly string[]> {
    return this.identifiedDevices(lane, app)
  }

  generationOf(lane: number, app: string, devices: readonly string[]): Promise<number> {
    return generationOfDevices(this.#client, { lane, app, generation: GENERATION }, devices)
  }

  async markReplayed(lane: number, positions: readonly number[]): Promise<void> {
    const query = statement('replayed-letters.insert')
    const marks = positions.map((position) => ({ query, params: [lane, BigInt(position)] }))
    await mapConcurrent(splitByCount(marks, LETTERS_PER_BATCH), WRITE_CONCURRENCY, (statements) =>
      this.#writeIdempotent(statements),
    )
  }

  async replayed(lane: number): Promise<readonly number[]> {
    return (await rowsOf(this.#client, 'replayed-letters.read', [lane])).map((row) => Number(row.get('position')))
  }

  #watermarksOf(lane: number): Watermarks {
    const own = this.#lanes.get(lane) ?? new Watermarks(this.#client, lane)
    this.#lanes.set(lane, own)
    return own
  }

  /** Removes deltas before the rows that they list are removed: without deltas, readers read the whole partition. */
  async #removeDeltas({ lane }: Lease, { app, date }: Partition): Promise<void> {
    await this.#client.execute(statement('visitor-deltas.expire'), [app, date, lane], {
      prepare: true,
      isIdempotent: true,
    })
  }

  #generationsOf({ lane, epoch }: Lease): KeyGenerations {
    const own = this.#generations.get(lane) ?? new KeyGenerations(this.#client, lane)
    this.#generations.set(lane, own)
    own.enter(epoch)
    return own
  }

  async #writeIdempotent(statements: readonly Statement[]): Promise<void> {
    await this.#client.batch([...statements], { prepare: true, logged: false, isIdempotent: true })
  }

  /**
   * Writes one counter batch per partition: deltas and watermark in one atomic mutation. A failure may be an unknown
   * outcome. The call then rejects only when the server can no longer apply anything that was sent, so that the next
   * read is final (rule 4): every node has answered since, or is gone, and the maximum duration of a write has passed.
   */
  async #count(lease: Lease, changes: readonly CounterChange[], watermarks: Watermarks): Promise<void> {
    let isSent = false
    const generations = this.#generationsOf(lease)
    try {
      await mapConcurrent(changes, WRITE_CONCURRENCY, async (change) => {
        const generation = isRemovable(change.table) ? await generations.of(change.app) : 0
        assertLeaseHolds(lease)
        isSent = true
        await this.#client.batch(counterBatch(lease.lane, change, generation), {
          prepare: true,
          counter: true,
          isIdempotent: false,
        })
        watermarks.advance(change, change.to)
      })
    } catch (error) {
      watermarks.forget()
      if (isSent) {
        await this.#frozen.whenAnswered()
        await pause(this.#settings.unknownOutcomeMs)
      }
      throw new HopperError('HOP_STORE_UNAVAILABLE', `Lane ${lease.lane} could not be counted.`, { cause: error })
    }
  }
}

function counterBatch(lane: number, change: CounterChange, generation: number): Statement[] {
  const file = queryFile(change.table)
  const partition = [change.app, change.date, lane]
  const add = statement(`${file}.add`)
  return [
    ...change.rows.map(({ key, deltas }) => ({
      query: add,
      params: [...deltas.map(BigInt), ...partition, ...storedKey(key, generation)],
    })),
    { query: statement(`${file}.mark`), params: [BigInt(change.to - change.from), ...partition] },
  ]
}
