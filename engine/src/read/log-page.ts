import { limits, type ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'

/** The columns that contain the places of a chunk's events in their lane. */
export const placeColumns = ['runs', 'position', 'index'] as const

/** The row of an event, and its place in the lane. */
export interface PlacedRow {
  readonly place: number
  readonly chunk: number
  readonly row: number
}

/**
 * Groups the chunks of a lane into clusters with overlapping positions. Within a cluster, events must be sorted by
 * their places; the clusters themselves are in log order.
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

/** Returns the exclusive upper bound of the places in these chunks. */
export function endOfPlaces(chunks: readonly ChunkSummary[]): number {
  return (chunks.reduce((last, chunk) => Math.max(last, chunk.last_position), -1) + 1) * limits.eventsPerBatchMax
}

/** Returns up to `limit` rows from a place on in log order, after skipping `skip` of them. Needs `placeColumns`. */
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
