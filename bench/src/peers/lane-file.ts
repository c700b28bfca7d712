import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import { Chunk, type ColumnCache } from '@hopper/engine'

interface Entry {
  readonly summary: ChunkSummary
  /** offset and length of each cell */
  readonly cells: Readonly<Record<string, readonly [number, number]>>
}

/** Writes the cells of a lane's chunks in sequence, and an index of their offsets. */
export function writeLane(path: string, chunks: readonly EncodedChunk[]): void {
  const cells: Uint8Array[] = []
  let offset = 0
  const entries = chunks.map(({ summary, columns }): Entry => ({
    summary,
    cells: Object.fromEntries(
      [...columns].map(([name, cell]) => {
        cells.push(cell)
        offset += cell.length
        return [name, [offset - cell.length, cell.length]]
      }),
    ),
  }))
  writeFileSync(path, Buffer.concat(cells))
  writeFileSync(`${path}.json`, JSON.stringify(entries))
}

/** A lane's chunks. Each cell is read from the file on demand. */
export class LaneFile {
  readonly #entries: readonly Entry[]
  readonly #file: number

  constructor(path: string) {
    this.#entries = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Entry[]
    this.#file = openSync(path, 'r')
  }

  chunks(cache?: ColumnCache): Chunk[] {
    return this.#entries.map(({ summary, cells }) => new Chunk(summary, (column) => this.#read(cells[column]), cache))
  }

  /** Returns all cells of all chunks. */
  encoded(): EncodedChunk[] {
    return this.#entries.map(({ summary, cells }) => ({
      summary,
      columns: new Map(Object.entries(cells).map(([name, cell]) => [name, this.#read(cell)!])),
    }))
  }

  close(): void {
    closeSync(this.#file)
  }

  #read(cell: readonly [number, number] | undefined): Uint8Array | undefined {
    if (!cell) return undefined
    const [offset, length] = cell
    const bytes = Buffer.allocUnsafe(length)
    if (readSync(this.#file, bytes, 0, length, offset) < length)
      throw new RangeError('the file of the lane ends too soon')
    return bytes
  }
}
