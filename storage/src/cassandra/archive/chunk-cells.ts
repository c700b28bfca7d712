import { HopperError, type EncodedChunk } from '@hopper/contracts'
import type { Client, types } from 'cassandra-driver'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { splitByCount, splitByBytes } from '../client/batches.ts'
import { rowsOf, statement } from '../client/statements.ts'

/** Small cells are written together, up to this size. */
const BATCH_BYTES_MAX = 256_000
/** A cell has at most 1 MB, and a response of the server at most 16 MB. */
const CELLS_PER_READ = 8
/** Number of batches or reads in flight for one call. */
const CONCURRENCY = 4

interface Cell {
  readonly part: number
  readonly column: string
  readonly bytes: Buffer
}

/** Columns of chunks, by the id of their span. Written once and never changed. */
export class ChunkCells {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** Writes the cells of chunks. `check` is called before each write and stops the work by throwing. */
  async write(span: types.TimeUuid, chunks: readonly EncodedChunk[], check: () => void): Promise<void> {
    const query = statement('chunk-cells.insert')
    await mapConcurrent(chunks.flatMap(batchesOf), CONCURRENCY, async (cells) => {
      check()
      const batch = cells.map(({ part, column, bytes }) => ({ query, params: [span, part, column, bytes] }))
      await this.#client.batch(batch, { prepare: true, logged: false, isIdempotent: true })
    })
  }

  /**
   * Reads columns of a chunk. Columns that the chunk does not have are missing.
   * @throws HopperError HOP_STORE_UNAVAILABLE when the chunk no longer exists
   */
  async read(span: types.TimeUuid, part: number, columns: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    await mapConcurrent(splitByCount(columns, CELLS_PER_READ), CONCURRENCY, async (some) => {
      for (const row of await rowsOf(this.#client, 'chunk-cells.read', [span, part, some]))
        found.set(row.get('column') as string, row.get('cell') as Uint8Array)
    })
    if (found.size === 0 && (await rowsOf(this.#client, 'chunk-cells.any', [span, part])).length === 0)
      throw chunkDeleted()
    return found
  }

  async drop(span: types.TimeUuid, parts: number): Promise<void> {
    await mapConcurrent(
      Array.from({ length: parts }, (_, part) => part),
      CONCURRENCY,
      (part) =>
        this.#client.execute(statement('chunk-cells.drop'), [span, part], { prepare: true, isIdempotent: true }),
    )
  }
}

/** Splits the cells of a chunk, which are one partition, into batches. */
function batchesOf({ summary: { part }, columns }: EncodedChunk): Cell[][] {
  const cells = Array.from(columns, ([column, cell]) => ({
    part,
    column,
    bytes: Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength),
  }))
  return splitByBytes(cells, ({ bytes }) => bytes.length, BATCH_BYTES_MAX)
}

/**
 * Error for a chunk that no longer exists. An empty result would lose the chunk's events: the caller must list again.
 */
export function chunkDeleted(): HopperError {
  return new HopperError('HOP_STORE_UNAVAILABLE', 'A chunk was merged into another more than ten minutes ago.')
}
