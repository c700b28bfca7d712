import { EventScan } from '@hopper/engine'
import { batchesOf, fetchedAhead } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { Query, QueryOf, UnitQuery } from '../query.ts'
import { scopeOf } from '../scan-scope.ts'
import { runExport } from './run-export.ts'
import { runKeys } from './run-keys.ts'
import { runPage } from './run-page.ts'
import { runPerson } from './run-person.ts'
import { runUnits } from './run-units.ts'
import { runValues } from './run-values.ts'
import type { QueryRuntime, QuestionOutcome } from '../pool/query-runtime.ts'

/** Runs a query in this thread, over the chunks that can match. */
export async function runQuestion(given: QueryJob, place: QueryRuntime): Promise<QuestionOutcome> {
  const { question } = given
  const job = { ...given, chunks: matchingChunks(given, place) }
  if (question.kind === 'funnel' || question.kind === 'journeys' || question.kind === 'retention')
    return runUnits(question, job, place)
  return { kind: 'answered', result: await resultOf(question, job, place) }
}

function resultOf(question: Exclude<Query, UnitQuery>, job: QueryJob, place: QueryRuntime): Promise<unknown> {
  if (question.kind === 'events') return runEvents(question, job, place)
  if (question.kind === 'values') return runValues(question, job, place)
  if (question.kind === 'keys') return runKeys(question, job, place)
  if (question.kind === 'page') return runPage(question, job, place)
  if (question.kind === 'person') return runPerson(question, job, place)
  return runExport(question, job, place)
}

async function runEvents({ request }: QueryOf<'events'>, { chunks }: QueryJob, place: QueryRuntime): Promise<unknown> {
  const scan = new EventScan(request, place.budget)
  const wants = chunks.map((summary) => ({ summary, names: scan.plan.columns(summary) }))
  for await (const batch of fetchedAhead(batchesOf(wants), place)) for (const chunk of batch) scan.scanChunk(chunk)
  return scan.finish()
}

/** @throws HopperError if the query is invalid */
function matchingChunks({ question, context, chunks }: QueryJob, { budget }: QueryRuntime): QueryJob['chunks'] {
  const reach = scopeOf(question, context)
  return chunks.filter((summary) => {
    budget.check()
    return summary.min_time < reach.to && summary.max_time >= reach.from && reach.canMatch(summary)
  })
}
