import type { ChunkSummary } from '@hopper/contracts'
import { putPlaceColumns, putPlaces, type PutPlaces } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import { chunkName } from '../fingerprint.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/** Returns the places of the put events of each chunk. They are cached, so a chunk is read once. */
export async function cachedPutPlaces(
  chunks: readonly ChunkSummary[],
  { source, putPlaces: cache, budget }: QueryRuntime,
): Promise<PutPlaces[]> {
  const keyOf = (summary: ChunkSummary): string => `${summary.app}/${chunkName(summary)}`
  const found = new Map(chunks.map((summary) => [summary, cache.get(keyOf(summary))]))
  const missing = chunks.filter((summary) => !found.get(summary))
  for (const fetches of batchesOf(missing.map((summary) => ({ summary, names: putPlaceColumns })))) {
    for (const chunk of await source.chunks(fetches)) {
      budget.check()
      const places = putPlaces(chunk)
      found.set(chunk.summary, places)
      cache.put(keyOf(chunk.summary), places, places.rows.byteLength * 5)
    }
  }
  return chunks.map((summary) => found.get(summary)!)
}
