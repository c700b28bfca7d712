import type { Chunk } from '@hopper/engine'
import type { ColumnFetch } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/** Yields the chunks of each batch. Fetches the next batch while one is processed and reports progress after each. */
export async function* prefetchChunks(
  batches: readonly (readonly ColumnFetch[])[],
  { source, budget, progress }: QueryRuntime,
): AsyncGenerator<Chunk[]> {
  const total = batches.flat().reduce((rows, { summary }) => rows + summary.rows, 0)
  let done = 0
  let next = batches[0] && source.chunks(batches[0])
  for (let index = 0; index < batches.length; index++) {
    const chunks = await next!
    const following = batches[index + 1]
    next = following && source.chunks(following)
    // A consumer that stops early never awaits this promise.
    next?.catch(() => undefined)
    budget.check()
    yield chunks
    done += chunks.reduce((rows, { summary }) => rows + summary.rows, 0)
    progress({ done, total })
  }
}
