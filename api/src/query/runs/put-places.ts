import type { ChunkSummary } from '@hopper/contracts'
import { putPlaceColumns, putPlaces, type PutPlaces } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import { chunkName } from '../fingerprint.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/** Returns the places of the put events of each chunk; a chunk is read once while they are cached. */
export async function placesOf(
  chunks: readonly ChunkSummary[],
  { source, puts, budget }: QueryRuntime,
): Promise<PutPlaces[]> {
  const nameOf = (summary: ChunkSummary): string => `${summary.app}/${chunkName(summary)}`
  const found = new Map(chunks.map((summary) => [summary, puts.get(nameOf(summary))]))
  const unknown = chunks.filter((summary) => !found.get(summary))
  for (const wants of batchesOf(unknown.map((summary) => ({ summary, names: putPlaceColumns })))) {
    for (const chunk of await source.chunks(wants)) {
      budget.check()
      const places = putPlaces(chunk)
      found.set(chunk.summary, places)
      puts.put(nameOf(chunk.summary), places, places.rows.byteLength * 5)
    }
  }
  return chunks.map((summary) => found.get(summary)!)
}
