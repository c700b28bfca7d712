import { PersonsScan, spansOf, type DeviceKey, type People } from '@hopper/engine'
import { assertLaneFits } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { PersonsResult, QueryOf } from '../query.ts'
import { peopleFor } from './people-for.ts'
import { PersonDetails } from './person-details.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

/** Lists the persons of a range, page by page. Traits and computed properties are read last, for the page only. */
export async function runPersons(
  question: QueryOf<'persons'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<PersonsResult> {
  const { request } = question
  const people = await peopleFor(question, job, runtime)
  const found = await foundByTraits(request.search, job, runtime)
  const scan = new PersonsScan(request, people, found, runtime.budget)
  const lanes = [...Map.groupBy(job.chunks, ({ lane }) => lane).values()]
  const fetches = lanes.map((lane) => lane.map((summary) => ({ summary, names: scan.columns(summary) })))
  fetches.forEach(assertLaneFits)
  for await (const lane of prefetchChunks(fetches, runtime)) scan.scanLane(spansOf(lane))
  const { persons, more } = scan.finish()
  const details = await detailsOf(persons, people, job, request.lanes, runtime)
  const last = persons.at(-1)
  return {
    persons: persons.map((person) => {
      const { id, user, devices, first_seen, last_seen, events } = person
      return {
        id,
        users: user === undefined ? [] : [user],
        devices,
        first_seen,
        last_seen,
        events,
        traits: details.traitsOf(person),
        properties: details.propertiesOf(person),
      }
    }),
    next: more && last ? { value: last.value, id: last.id } : null,
  }
}

/** Returns the users with a trait that contains the text, in any case. */
async function foundByTraits(search: string | undefined, job: QueryJob, runtime: QueryRuntime): Promise<Set<string>> {
  const found = new Set<string>()
  if (search === undefined) return found
  const needle = search.toLowerCase()
  const traits = await runtime.people.traits(job, runtime.budget)
  traits.forEach((user, value) => {
    if (String(value).toLowerCase().includes(needle)) found.add(user)
  })
  return found
}

async function detailsOf(
  persons: readonly { readonly user: string | undefined; readonly device: DeviceKey | undefined }[],
  { identities }: People,
  job: QueryJob,
  lanes: number,
  runtime: QueryRuntime,
): Promise<PersonDetails> {
  const index = await runtime.identities.index(job.app, job.identifying)
  const users = new Set(persons.flatMap(({ user }) => user ?? []))
  const devices = [...index.devicesOfUsers(users), ...persons.flatMap(({ device }) => device ?? [])]
  return new PersonDetails(job.context, identities, devices, lanes).read(job, runtime)
}
