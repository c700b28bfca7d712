import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'

/** Chunk in a form that can be posted between threads. */
export interface PackedChunk {
  readonly summary: ChunkSummary
  readonly cells: readonly (readonly [string, Uint8Array])[]
}

/**
 * Packs chunks into a message that transfers their bytes. Each cell is copied first: it may be a slice of a larger
 * buffer that is still in use elsewhere.
 */
export function packChunks(chunks: readonly EncodedChunk[]): { message: PackedChunk[]; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = []
  const message = chunks.map(({ summary, columns }) => ({
    summary,
    cells: [...columns].map(([name, cell]): [string, Uint8Array] => {
      const copy = new Uint8Array(cell)
      transfer.push(copy.buffer)
      return [name, copy]
    }),
  }))
  return { message, transfer }
}
