import { hasRareKeys, RareKeyScan, rareKeyColumns } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryOf } from '../query.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

/** Lists the keys that are too rare for a column of their own. */
export async function runKeys(
  { request }: QueryOf<'keys'>,
  { chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<readonly string[]> {
  const scan = new RareKeyScan(request)
  const fetches = chunks.filter(hasRareKeys).map((summary) => ({ summary, names: rareKeyColumns }))
  for await (const batch of prefetchChunks(batchesOf(fetches), runtime)) for (const chunk of batch) scan.add(chunk)
  return scan.finish()
}
