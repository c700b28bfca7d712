import { encodeExport, type Chunk } from '@hopper/engine'
import { JobOver } from './chunk-source.ts'
import type { QueryJob } from './query-job.ts'
import type { QuestionOf } from './question.ts'
import type { Workplace } from './workplace.ts'

/** Hands out all events of a range, part by part: the next chunk is read when the client has taken what was made of those before. */
export async function runExport({ request }: QuestionOf<'export'>, { chunks }: QueryJob, { source, budget, ask }: Workplace): Promise<undefined> {
  async function* read(): AsyncGenerator<Chunk> {
    for (const summary of chunks) {
      budget.check()
      yield (await source.chunks([{ summary, names: Object.keys(summary.columns) }], false))[0]!
    }
  }
  for await (const bytes of encodeExport(request.format, read(), request)) {
    budget.check()
    if (!(await ask({ ask: 'take', bytes }))) throw new JobOver()
  }
  return undefined
}
