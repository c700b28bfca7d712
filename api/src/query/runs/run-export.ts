import { encodeEvents, eventsOfChunk, type Chunk, type ExportedEvent } from '@hopper/engine'
import { JobCancelled } from '../chunk-source.ts'
import { chunkName } from '../fingerprint.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { ExportPlace, QueryOf } from '../query.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/**
 * Exports the events of a range part by part, from a given position on. Reads the next chunk once the client has taken
 * the previous parts. Returns the position to continue from if it was asked to pause, and null at the end.
 */
export async function runExport(
  { request }: QueryOf<'export'>,
  { chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<ExportPlace | null> {
  const { budget, sendRequest } = runtime
  const place = { ...request.start }
  async function* read(): AsyncGenerator<Iterable<ExportedEvent>> {
    for (; place.chunk < chunks.length; place.chunk++, place.row = 0) {
      budget.check()
      yield eventsOfChunk(await chunkAt(chunks[place.chunk]!, runtime), request, place)
    }
  }
  for await (const bytes of encodeEvents(request.format, read(), request)) {
    budget.check()
    const answer = await sendRequest({ ask: 'take', bytes })
    if (answer === undefined) throw new JobCancelled()
    if (answer === 'pause') return place
  }
  return null
}

/** Returns a chunk and caches it, because a paused export continues in the chunk that it read last. */
async function chunkAt(summary: QueryJob['chunks'][number], { source, exported }: QueryRuntime): Promise<Chunk> {
  const name = `${summary.app}/${chunkName(summary)}`
  if (exported.name !== name) {
    const [chunk] = await source.chunks([{ summary, names: Object.keys(summary.columns) }], false)
    Object.assign(exported, { name, chunk })
  }
  return exported.chunk!
}
