import { HopperError, type EncodedChunk } from '@hopper/contracts'
import type { Client, types } from 'cassandra-driver'
import { concurrently } from './concurrently.ts'
import { rowsOf, statement } from './statements.ts'

/** Cells of at most 1 MB, so this many bound what is under way for one call. */
const CELLS_AT_ONCE = 16

/** Columns of chunks, under the id of their span. They are written once and never changed. */
export class ChunkCells {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /** `check` is called before each write, and ends the work by throwing. */
  async write(span: types.TimeUuid, chunks: readonly EncodedChunk[], check: () => void): Promise<void> {
    const cells = chunks.flatMap(({ summary, columns }) => [...columns].map(([column, cell]) => ({ part: summary.part, column, cell })))
    await concurrently(cells, CELLS_AT_ONCE, async ({ part, column, cell }) => {
      check()
      const bytes = Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength)
      await this.#client.execute(statement('chunk-cells.insert'), [span, part, column, bytes], { prepare: true, isIdempotent: true })
    })
  }

  /** A column that the chunk does not have is missing. @throws HopperError HOP_STORE_UNAVAILABLE when the chunk itself is gone */
  async read(span: types.TimeUuid, part: number, columns: readonly string[]): Promise<Map<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>()
    await concurrently(columns, CELLS_AT_ONCE, async (column) => {
      const [row] = await rowsOf(this.#client, 'chunk-cells.read', [span, part, column])
      if (row) found.set(column, row.get('cell') as Uint8Array)
    })
    if (found.size === 0 && (await rowsOf(this.#client, 'chunk-cells.any', [span, part])).length === 0) throw gone()
    return found
  }

  async drop(span: types.TimeUuid, parts: number): Promise<void> {
    await concurrently(Array.from({ length: parts }, (_, part) => part), CELLS_AT_ONCE, (part) =>
      this.#client.execute(statement('chunk-cells.drop'), [span, part], { prepare: true, isIdempotent: true }))
  }
}

/** Never an answer without the chunk's events: whoever asks must list again. */
export function gone(): HopperError {
  return new HopperError('HOP_STORE_UNAVAILABLE', 'A chunk was merged into another more than ten minutes ago.')
}
