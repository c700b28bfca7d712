import { EventScan } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { Query, QueryOf, UnitQuery } from '../query.ts'
import { scopeOf } from '../scan-scope.ts'
import { runExport } from './run-export.ts'
import { runKeys } from './run-keys.ts'
import { runNewest } from './run-newest.ts'
import { runEncodedPage, runPage } from './run-page.ts'
import { runJourneyPeople, runPeople } from './run-people.ts'
import { runPerson } from './run-person.ts'
import { runPersons } from './run-persons.ts'
import { runPuts } from './run-puts.ts'
import { runSession } from './run-session.ts'
import { runUnits } from './run-units.ts'
import { runValues } from './run-values.ts'
import { isNeeded, peopleFor } from './people-for.ts'
import type { QueryRuntime, QuestionOutcome } from '../pool/query-runtime.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

/** Runs a query in this thread, over the chunks that can match. */
export async function runQuery(queryJob: QueryJob, runtime: QueryRuntime): Promise<QuestionOutcome> {
  const { question } = queryJob
  const job = { ...queryJob, chunks: matchingChunks(queryJob, runtime) }
  if (isUnitQuery(question)) return runUnits(question, job, runtime)
  if (question.kind === 'events') return runEvents(question, job, runtime)
  if (question.kind === 'values') return runValues(question, job, runtime)
  if (question.kind === 'newest') return runNewest(question, job, runtime)
  return { kind: 'answered', result: await resultOf(question, job, runtime) }
}

function isUnitQuery(question: Query): question is UnitQuery {
  return ['elements', 'funnel', 'hesitation', 'instead', 'journeys', 'retention', 'sources', 'loss'].includes(
    question.kind,
  )
}

function resultOf(
  question: Exclude<Query, UnitQuery | { kind: 'events' | 'values' | 'newest' }>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<unknown> {
  if (question.kind === 'keys') return runKeys(question, job, runtime)
  if (question.kind === 'traits') return runTraits(question, job, runtime)
  if (question.kind === 'page') return runPage(question, job, runtime)
  if (question.kind === 'encoded_page') return runEncodedPage(question, job, runtime)
  if (question.kind === 'puts') return runPuts(question, job, runtime)
  if (question.kind === 'person') return runPerson(question, job, runtime)
  if (question.kind === 'people') return runPeople(question, job, runtime)
  if (question.kind === 'journey_people') return runJourneyPeople(question, job, runtime)
  if (question.kind === 'persons') return runPersons(question, job, runtime)
  if (question.kind === 'session') return runSession(question, job, runtime)
  return runExport(question, job, runtime)
}

async function runEvents(question: QueryOf<'events'>, job: QueryJob, runtime: QueryRuntime): Promise<QuestionOutcome> {
  if (!(await isNeeded(await peopleFor(question, job, runtime), job, runtime))) return { kind: 'unneeded' }
  const scan = new EventScan(question.request, runtime.budget)
  const fetches = job.chunks.map((summary) => ({ summary, names: scan.plan.columns(summary) }))
  for await (const batch of prefetchChunks(batchesOf(fetches), runtime))
    for (const chunk of batch) scan.scanChunk(chunk)
  return { kind: 'answered', result: scan.finish() }
}

/** Lists the traits that were set in the range, by name. */
async function runTraits(
  { request }: QueryOf<'traits'>,
  { app, chunks }: QueryJob,
  { people, budget }: QueryRuntime,
): Promise<readonly string[]> {
  const names = await people.traitNames(app, chunks, budget)
  return [...names]
    .filter((name) => name.startsWith(request.prefix))
    .sort()
    .slice(0, request.limit)
}

/** @throws HopperError if the query is invalid */
function matchingChunks({ question, context, chunks }: QueryJob, { budget }: QueryRuntime): QueryJob['chunks'] {
  const scope = scopeOf(question, context)
  return chunks.filter((summary) => {
    budget.check()
    return summary.min_time < scope.to && summary.max_time >= scope.from && scope.canMatch(summary)
  })
}
