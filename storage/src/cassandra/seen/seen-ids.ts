import type { Client, types } from 'cassandra-driver'
import { UUID_BYTES, writeUuid, type Fate, type FateReason } from '@hopper/contracts'
import type { FirstSeen, LaneBatch, Partition, SeenChange } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { inParts, inPartsByWeight } from '../client/batches.ts'
import { writeNameHash } from '../client/name-hash.ts'
import { findSeen, packSeen, seenIdsOf, WantedIds } from './seen-block.ts'
import { pagesOf, rowsOf, statement, type Statement } from '../client/statements.ts'

/**
 * The ids of a partition whose hashes are alike stand together: in 256 buckets, and while there are few in 64, in 16 or
 * in a single one, which have numbers of their own. Each block is a row, and rows cost more than bytes. A level takes
 * so many ids of an owner that the blocks of one of its buckets (75 kB then) are not too long to look through; what
 * comes after the last are rows. So are batches of fewer ids than `idsMin`: their blocks would have less than 16 ids,
 * and a look-up finds a row faster than an id in ever more blocks. Stored, so what a number means must never change.
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
const READS_AT_ONCE = 16
const PARTITIONS_MAX = 10_000
/** Above every position, so that a write timestamp can fall as they rise. */
const TOP = 2n ** 52n

/**
 * The ids that a lane has seen: those of a small batch a row each, those of a large one packed, in one block for each
 * bucket of their hashes. The key of a block is the span of positions that its batch had of its bucket, so a repetition
 * writes the same ids there again, or others under a key of their own: nothing that was written is ever taken away.
 */
export class SeenIds {
  readonly #client: Client
  readonly #packedIdsMin: number | undefined
  /** how many ids of a partition were packed here */
  readonly #packed = new Map<string, number>()

  /** `packedIdsMin` is the fewest ids of a batch that are packed, on each level. */
  constructor(client: Client, packedIdsMin?: number) {
    this.#client = client
    this.#packedIdsMin = packedIdsMin
  }

  /** What writes the ids of a batch, as batches that each touch one partition. */
  writes({ lane, seen }: Pick<LaneBatch, 'lane' | 'seen'>): Statement[][] {
    return seen.flatMap((change) => {
      const level = this.#levelOf(lane, change)
      return level ? blocksOf(lane, change, level) : rowsFor(lane, change)
    })
  }

  /** Where each of these ids stood first; ids never seen are missing. */
  async find(lane: number, { app, date }: Partition, ids: readonly string[]): Promise<Map<string, FirstSeen>> {
    const rows = await mapConcurrent(inParts(ids, IDS_PER_READ), READS_AT_ONCE, (some) =>
      rowsOf(this.#client, 'seen-by-date.fates', [app, date, lane, some]),
    )
    const found = new Map(rows.flat().map((row) => [row.get('event_id') as string, firstSeen(row)]))
    const wanted = new WantedIds(ids.filter((id) => !found.has(id)))
    const buckets = [...new Set([...wanted.all].flatMap(bucketsOf))]
    await mapConcurrent(inParts(buckets, BUCKETS_PER_READ), READS_AT_ONCE, async (some) => {
      for await (const page of blocks(this.#client, 'seen-blocks-by-date.buckets', [app, date, lane, some]))
        for (const block of page) findSeen(block, wanted, found)
    })
    return found
  }

  /** All ids of a partition, a page at a time. */
  async *ids(lane: number, { app, date }: Partition): AsyncIterable<readonly string[]> {
    for await (const page of blocks(this.#client, 'seen-blocks-by-date.read', [app, date, lane]))
      yield page.flatMap(seenIdsOf)
    for await (const page of pagesOf(this.#client, 'seen-by-date.ids', [app, date, lane]))
      yield page.map((row) => row.get('event_id') as string)
  }

  /** Where a batch is packed; undefined when it is not. */
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
  return inParts(rows, ROWS_PER_BATCH).map((some) =>
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
    inParts(own, IDS_PER_BLOCK).map((part, number) => ({ bucket: first + bucket, own, number, block: packSeen(part) })),
  )
  return inPartsByWeight(blocks, ({ block }) => block.length, BATCH_BYTES_MAX).map((some) =>
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

/** The buckets in which an id may stand. */
function bucketsOf(id: string): number[] {
  const hash = hashOf(id)
  return LEVELS.map(({ first, shift }) => first + (hash >> shift))
}

/** A UUID is random in its last byte already. */
function hashOf(id: string): number {
  if (writeUuid(id, bytes, 0)) return bytes[UUID_BYTES - 1]! % HASHES
  writeNameHash(id, halves, 0)
  return halves[1]! % HASHES
}
