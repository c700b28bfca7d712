import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'

/** A chunk on its way between threads. */
export interface PackedChunk {
  readonly summary: ChunkSummary
  readonly cells: readonly (readonly [string, Uint8Array])[]
}

/**
 * Chunks as a message that takes its bytes along. Each cell is copied first: it may be a piece of a larger buffer that
 * others still use.
 */
export function packed(chunks: readonly EncodedChunk[]): { message: PackedChunk[]; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = []
  const message = chunks.map(({ summary, columns }) => ({
    summary,
    cells: [...columns].map(([name, cell]): [string, Uint8Array] => {
      const own = new Uint8Array(cell)
      transfer.push(own.buffer)
      return [name, own]
    }),
  }))
  return { message, transfer }
}
