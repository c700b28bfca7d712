import type { People } from '@hopper/engine'
import { peopleDigest } from '../known-people.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { Query } from '../query.ts'
import { scopeOf } from '../scan-scope.ts'

/** Returns the people of a query, with the values of the person keys that it names. */
export function peopleFor(question: Query, job: QueryJob, { people, budget }: QueryRuntime): Promise<People> {
  return people.of(job, scopeOf(question, job.context).personKeys, budget)
}

/** Returns false if the answer is cached: apart from its chunks, it depends only on the people. */
export async function isNeeded(
  people: People,
  { identifying, history }: QueryJob,
  { sendRequest }: QueryRuntime,
): Promise<boolean> {
  if (identifying.length + history.length === 0) return true
  return Boolean(await sendRequest({ ask: 'known', identities: peopleDigest(people) }))
}
