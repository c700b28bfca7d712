import type { Client, types } from 'cassandra-driver'
import { UUID_BYTES, writeUuid, type Fate, type FateReason } from '@hopper/contracts'
import type { FirstSeen, LaneBatch, Partition, SeenChange, SeenReplacement } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { splitByCount, splitByBytes } from '../client/batches.ts'
import { writeNameHash } from '../client/name-hash.ts'
import { findSeen, packSeen, seenIdsOf, unpackSeen, WantedIds } from './seen-block.ts'
import { pagesOf, rowsOf, statement, type Statement } from '../client/statements.ts'

/**
 * Levels of packing. Ids of a partition with similar hashes share a bucket: one of 256, and while there are few ids,
 * one of 64, of 16 or a single one, with bucket numbers of their own. Each block is a row, and rows cost more than
 * bytes.
 * A level takes at most `idsMax` ids of an owner, so that the blocks of one of its buckets (75 kB by then) do not take
 * too long to search. Ids after the last level are written as rows. So are batches with fewer than `idsMin` ids: their
 * blocks would have less than 16 ids, and a look-up finds a row faster than an id in a growing number of blocks.
 * Stored, so the meaning of a bucket number must never change.
 */
const LEVELS = [
  { idsMin: 16, idsMax: 4_096, first: 336, shift: 8 },
  { idsMin: 256, idsMax: 62_500, first: 320, shift: 4 },
  { idsMin: 1_024, idsMax: 250_000, first: 256, shift: 2 },
  { idsMin: 1_024, idsMax: 1_000_000, first: 0, shift: 0 },
] as const
type Level = (typeof LEVELS)[number]
const HASHES = 256
const IDS_PER_BLOCK = 4_096
const BATCH_BYTES_MAX = 256_000
const ROWS_PER_BATCH = 300
const IDS_PER_READ = 200
const BUCKETS_PER_READ = 16
const BLOCKS_PER_PAGE = 256
const READ_CONCURRENCY = 16
const PARTITIONS_MAX = 10_000
/** of ids that replaced others: nobody asks for it */
const UNKNOWN_FATE = { fate: 'accepted', reason: 'new' } as const
/** Greater than every position, so that write timestamps can descend as positions ascend. */
const TOP = 2n ** 52n

/**
 * The ids that a lane has seen. Those of a small batch are written as one row each, those of a large batch are packed
 * into one block per hash bucket. The key of a block is the range of positions of its batch in the bucket. A
 * redelivered batch thus writes either the same block again or a block under another key: no block is ever overwritten
 * with other ids.
 */
export class SeenIds {
  readonly #client: Client
  readonly #packedIdsMin: number | undefined
  /** number of ids packed by this process, by partition */
  readonly #packed = new Map<string, number>()

  /** `packedIdsMin` overrides the minimum number of packed ids in a batch, on each level. */
  constructor(client: Client, packedIdsMin?: number) {
    this.#client = client
    this.#packedIdsMin = packedIdsMin
  }

  /** Statements that write the ids of a batch, in batches that touch one partition each. */
  writes({ lane, seen }: Pick<LaneBatch, 'lane' | 'seen'>): Statement[][] {
    return seen.flatMap((change) => {
      const level = this.#levelOf(lane, change)
      return level ? blocksOf(lane, change, level) : rowsFor(lane, change)
    })
  }

  /**
   * The first occurrence of each of these ids. Ids never seen are missing. Ids that ingest rejected may come again, as
   * a row or in a block, so both are searched for each id.
   */
  async find(lane: number, { app, date }: Partition, ids: readonly string[]): Promise<Map<string, FirstSeen>> {
    const rows = await mapConcurrent(splitByCount(ids, IDS_PER_READ), READ_CONCURRENCY, (some) =>
      rowsOf(this.#client, 'seen-by-date.fates', [app, date, lane, some]),
    )
    const found = new Map(rows.flat().map((row) => [row.get('event_id') as string, firstSeen(row)]))
    const wanted = new WantedIds(ids)
    const buckets = [...new Set([...wanted.all].flatMap(bucketsOf))]
    await mapConcurrent(splitByCount(buckets, BUCKETS_PER_READ), READ_CONCURRENCY, async (some) => {
      for await (const page of blocks(this.#client, 'seen-blocks-by-date.buckets', [app, date, lane, some]))
        for (const block of page) findSeen(block, wanted, found)
    })
    return found
  }

  /**
   * Replaces ids by others at the same position, or removes them. The replacements are written first, so that one of
   * both is always there. A removal also hides rows of the id that are written later, so the id must not come again.
   */
  async replace(lane: number, { app, date }: Partition, replacements: readonly SeenReplacement[]): Promise<void> {
    const found = await this.find(
      lane,
      { app, date },
      replacements.map(({ event_id }) => event_id),
    )
    const known = replacements.flatMap(({ event_id, by }) => {
      const seen = found.get(event_id)
      return seen && by !== undefined ? [{ event_id: by, position: seen.position, ...UNKNOWN_FATE }] : []
    })
    await mapConcurrent(rowsFor(lane, { app, date, rows: known }), READ_CONCURRENCY, (some) => this.#write(some))
    const ids = replacements.map(({ event_id }) => event_id)
    await this.#removeFromBlocks(lane, { app, date }, ids)
    const query = statement('seen-by-date.remove')
    const removals = splitByCount(ids, ROWS_PER_BATCH).map((some) =>
      some.map((id) => ({ query, params: [TOP, app, date, lane, id] })),
    )
    await mapConcurrent(removals, READ_CONCURRENCY, (some) => this.#write(some))
  }

  async #removeFromBlocks(lane: number, { app, date }: Partition, ids: readonly string[]): Promise<void> {
    const removed = new Set(ids)
    const buckets = [...new Set(ids.flatMap(bucketsOf))]
    await mapConcurrent(splitByCount(buckets, BUCKETS_PER_READ), READ_CONCURRENCY, async (some) => {
      const partition = [app, date, lane]
      const pages = pagesOf(this.#client, 'seen-blocks-by-date.entries', [...partition, some], {
        fetchSize: BLOCKS_PER_PAGE,
      })
      for await (const page of pages) {
        for (const row of page) {
          const seen = unpackSeen(row.get('block') as Uint8Array)
          const kept = seen.filter(({ event_id }) => !removed.has(event_id))
          if (kept.length === seen.length) continue
          const key = ['bucket', 'first_position', 'last_position', 'part'].map((name) => row.get(name) as unknown)
          await this.#write([
            kept.length === 0
              ? { query: statement('seen-blocks-by-date.remove'), params: [...partition, ...key] }
              : { query: statement('seen-blocks-by-date.insert'), params: [...partition, ...key, packSeen(kept)] },
          ])
        }
      }
    })
  }

  async #write(statements: readonly Statement[]): Promise<void> {
    await this.#client.batch([...statements], { prepare: true, logged: false, isIdempotent: true })
  }

  /** All ids of a partition, one page at a time. */
  async *ids(lane: number, { app, date }: Partition): AsyncIterable<readonly string[]> {
    for await (const page of blocks(this.#client, 'seen-blocks-by-date.read', [app, date, lane]))
      yield page.flatMap(seenIdsOf)
    for await (const page of pagesOf(this.#client, 'seen-by-date.ids', [app, date, lane]))
      yield page.map((row) => row.get('event_id') as string)
  }

  /** The level on which a batch is packed; undefined if it is written as rows. */
  #levelOf(lane: number, { app, date, rows }: SeenChange): Level | undefined {
    const key = `${lane}\0${app}\0${date}`
    const packed = (this.#packed.get(key) ?? 0) + rows.length
    const level = LEVELS.find(({ idsMax }) => packed <= idsMax)
    if (!level || rows.length < (this.#packedIdsMin ?? level.idsMin)) return undefined
    if (this.#packed.size >= PARTITIONS_MAX) this.#packed.clear()
    this.#packed.set(key, packed)
    return level
  }
}

async function* blocks(client: Client, name: string, params: unknown[]): AsyncIterable<Uint8Array[]> {
  for await (const page of pagesOf(client, name, params, { fetchSize: BLOCKS_PER_PAGE }))
    yield page.map((row) => row.get('block') as Uint8Array)
}

function rowsFor(lane: number, { app, date, rows }: SeenChange): Statement[][] {
  const query = statement('seen-by-date.insert')
  return splitByCount(rows, ROWS_PER_BATCH).map((some) =>
    some.map((row) => ({
      query,
      params: [app, date, lane, row.event_id, BigInt(row.position), row.fate, row.reason, TOP - BigInt(row.position)],
    })),
  )
}

function blocksOf(lane: number, { app, date, rows }: SeenChange, { first, shift }: Level): Statement[][] {
  const query = statement('seen-blocks-by-date.insert')
  const buckets = Array.from({ length: HASHES >> shift }, (): SeenChange['rows'][number][] => [])
  for (const row of rows) buckets[hashOf(row.event_id) >> shift]!.push(row)
  const blocks = buckets.flatMap((own, bucket) =>
    splitByCount(own, IDS_PER_BLOCK).map((part, number) => ({
      bucket: first + bucket,
      own,
      number,
      block: packSeen(part),
    })),
  )
  return splitByBytes(blocks, ({ block }) => block.length, BATCH_BYTES_MAX).map((some) =>
    some.map(({ bucket, own, number, block }) => ({
      query,
      params: [app, date, lane, bucket, BigInt(own[0]!.position), BigInt(own.at(-1)!.position), number, block],
    })),
  )
}

function firstSeen(row: types.Row): FirstSeen {
  return {
    position: Number(row.get('position')),
    fate: row.get('fate') as Fate,
    reason: row.get('reason') as FateReason,
  }
}

const halves = new Uint32Array(2)
const bytes = new Uint8Array(UUID_BYTES)

/** The buckets that may contain an id. */
function bucketsOf(id: string): number[] {
  const hash = hashOf(id)
  return LEVELS.map(({ first, shift }) => first + (hash >> shift))
}

/** Uses the last byte of a UUID, which is random already. */
function hashOf(id: string): number {
  if (writeUuid(id, bytes, 0)) return bytes[UUID_BYTES - 1]! % HASHES
  writeNameHash(id, halves, 0)
  return halves[1]! % HASHES
}
