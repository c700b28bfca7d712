import type { ChunkSummary } from '@hopper/contracts'
import { tallyValues, ValuePlan, ValueTotals, type KeyTally } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import { canonicalJson, chunkName } from '../fingerprint.ts'
import { peopleDigest } from '../known-people.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryOf } from '../query.ts'
import type { QueryRuntime, QuestionOutcome } from '../pool/query-runtime.ts'
import { isNeeded, peopleFor } from './people-for.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

/** Counts the values of keys. The tallies of whole chunks are cached, also for other ranges and prefixes. */
export async function runValues(
  query: QueryOf<'values'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<QuestionOutcome> {
  const { request } = query
  const { app, chunks, context, identifying, history } = job
  const people = await peopleFor(query, job, runtime)
  if (!(await isNeeded(people, job, runtime))) return { kind: 'unneeded' }
  const plan = new ValuePlan(request)
  const totals = new ValueTotals(request)
  const queryName = canonicalJson([
    app,
    context.pages ?? null,
    request.key ?? null,
    request.keyPrefix ?? null,
    request.filters,
    identifying.length + history.length === 0 ? null : peopleDigest(people),
  ])
  const nameOf = (summary: ChunkSummary): string => `${queryName}${chunkName(summary)}`
  const unknown: ChunkSummary[] = []
  for (const summary of chunks) {
    const known = plan.surrounds(summary) ? runtime.tallies.get(nameOf(summary)) : undefined
    if (known) totals.add(known)
    else unknown.push(summary)
  }
  const batches = batchesOf(unknown.map((summary) => ({ summary, names: plan.columns(summary) })))
  for await (const batch of prefetchChunks(batches, runtime)) {
    for (const chunk of batch) {
      const tallies = tallyValues(plan, chunk, runtime.budget)
      totals.add(tallies)
      if (plan.surrounds(chunk.summary)) runtime.tallies.put(nameOf(chunk.summary), tallies, bytesOf(tallies))
    }
  }
  return { kind: 'answered', result: totals.finish() }
}

function bytesOf(tallies: readonly KeyTally[]): number {
  return tallies.reduce(
    (sum, { values }) => values.reduce<number>((all, value) => all + 12 + String(value).length * 2, sum + 100),
    0,
  )
}
