import { HopperError, type EncodedChunk } from '@hopper/contracts'
import type { Client, types } from 'cassandra-driver'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { inParts, inPartsByWeight } from '../client/batches.ts'
import { rowsOf, statement } from '../client/statements.ts'

/** Small cells are written together, up to so many bytes. */
const BATCH_BYTES_MAX = 256_000
/** Cells have at most 1 MB, and an answer of the server at most 16. */
const CELLS_PER_READ = 8
/** So many batches or reads bound what is under way for one call. */
const AT_ONCE = 4

interface Cell {
  readonly part: number
  readonly column: string
  readonly bytes: Buffer
}

/** Columns of chunks, under the id of their span. They are written once and never changed. */
export class ChunkCells {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** `check` is called before each write, and ends the work by throwing. */
  async write(span: types.TimeUuid, chunks: readonly EncodedChunk[], check: () => void): Promise<void> {
    const query = statement('chunk-cells.insert')
    await mapConcurrent(chunks.flatMap(batchesOf), AT_ONCE, async (cells) => {
      check()
      const batch = cells.map(({ part, column, bytes }) => ({ query, params: [span, part, column, bytes] }))
      await this.#client.batch(batch, { prepare: true, logged: false, isIdempotent: true })
    })
  }

  /**
   * A column that the chunk does not have is missing. @throws HopperError HOP_STORE_UNAVAILABLE when the chunk itself
   * is gone
   */
  async read(span: types.TimeUuid, part: number, columns: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    await mapConcurrent(inParts(columns, CELLS_PER_READ), AT_ONCE, async (some) => {
      for (const row of await rowsOf(this.#client, 'chunk-cells.read', [span, part, some]))
        found.set(row.get('column') as string, row.get('cell') as Uint8Array)
    })
    if (found.size === 0 && (await rowsOf(this.#client, 'chunk-cells.any', [span, part])).length === 0) throw gone()
    return found
  }

  async drop(span: types.TimeUuid, parts: number): Promise<void> {
    await mapConcurrent(
      Array.from({ length: parts }, (_, part) => part),
      AT_ONCE,
      (part) =>
        this.#client.execute(statement('chunk-cells.drop'), [span, part], { prepare: true, isIdempotent: true }),
    )
  }
}

/** The cells of a chunk, which are one partition, in batches. */
function batchesOf({ summary: { part }, columns }: EncodedChunk): Cell[][] {
  const cells = Array.from(columns, ([column, cell]) => ({
    part,
    column,
    bytes: Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength),
  }))
  return inPartsByWeight(cells, ({ bytes }) => bytes.length, BATCH_BYTES_MAX)
}

/** Never an answer without the chunk's events: whoever asks must list again. */
export function gone(): HopperError {
  return new HopperError('HOP_STORE_UNAVAILABLE', 'A chunk was merged into another more than ten minutes ago.')
}
