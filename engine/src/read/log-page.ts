import { limits, type ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'

/** The columns that tell where the events of a chunk stand in their lane. */
export const placeColumns = ['runs', 'position', 'index'] as const

/** An event's row, and its order in the lane. */
export interface PlacedRow {
  readonly place: number
  readonly chunk: number
  readonly row: number
}

/**
 * Chunks of a lane whose positions overlap: their events have no order but by their places. Clusters stand in the order
 * of the log.
 */
export function clustersOf(chunks: readonly ChunkSummary[]): ChunkSummary[][] {
  const clusters: ChunkSummary[][] = []
  let last = -1
  for (const chunk of [...chunks].sort(
    (a, b) => a.first_position - b.first_position || a.last_position - b.last_position || a.part - b.part,
  )) {
    if (chunk.first_position > last) clusters.push([])
    clusters.at(-1)!.push(chunk)
    last = Math.max(last, chunk.last_position)
  }
  return clusters
}

/** Behind the last place that these chunks can have. */
export function endOfPlaces(chunks: readonly ChunkSummary[]): number {
  return (chunks.reduce((last, chunk) => Math.max(last, chunk.last_position), -1) + 1) * limits.eventsPerBatchMax
}

/** The rows from a place on in the order of the log, after `skip` of them at most `limit`. Needs `placeColumns`. */
export function rowsInOrder(chunks: readonly Chunk[], from: number, skip: number, limit: number): PlacedRow[] {
  const wanted = skip + limit
  let kept: PlacedRow[] = []
  let bound = Infinity
  const cut = (): void => {
    kept = kept.sort((a, b) => a.place - b.place).slice(0, wanted)
    if (kept.length === wanted) bound = kept.at(-1)?.place ?? -1
  }
  chunks.forEach((chunk, number) => {
    const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
    for (let row = 0; row < positions.length; row++) {
      const place = positions[row]! * limits.eventsPerBatchMax + indexes[row]!
      if (place < from || place > bound) continue
      kept.push({ place, chunk: number, row })
      if (kept.length >= wanted * 2 + 1_000) cut()
    }
  })
  cut()
  return kept.slice(skip)
}
