import {
  deviceHash,
  type JourneyPeopleResult,
  type PeopleRequest,
  type PeopleResult,
  type PersonRow,
} from '@hopper/contracts'
import {
  JourneyPeopleScan,
  journeyRow,
  keyOf,
  PeopleRows,
  PeopleScan,
  restOf,
  rowsRequest,
  spansOf,
  type Chunk,
  type DeviceKey,
  type FoundPerson,
  type People,
} from '@hopper/engine'
import { peopleCursor } from '../../answers/cursors/people-cursor.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { QueryOf } from '../query.ts'
import { DevicesByLane } from './devices-by-lane.ts'
import { prefetchChunks } from './prefetch-chunks.ts'
import { fetchesOfLane } from './lane-fetches.ts'
import { peopleFor } from './people-for.ts'
import { PersonDetails } from './person-details.ts'

/** Traits that name a person, the first that has a value. */
const NAME_TRAITS = ['name', 'email']

/**
 * Lists a page of the people behind a number of a funnel. Their rows are filled from the chunks of these people only.
 */
export function runPeople(question: QueryOf<'people'>, job: QueryJob, runtime: QueryRuntime): Promise<PeopleResult> {
  const { request } = question
  return pageOf(question, new PeopleScan(request, job.context, runtime.budget), request, job, runtime)
}

/** Lists a page of the people of a node or a link of journeys. */
export async function runJourneyPeople(
  question: QueryOf<'journey_people'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<JourneyPeopleResult> {
  const { request } = question
  const scan = new JourneyPeopleScan(request, runtime.budget)
  const page = await pageOf(question, scan, rowsRequest(request), job, runtime)
  return { ...page, people: page.people.map(journeyRow) }
}

type Question = QueryOf<'people' | 'journey_people'>

/** Lists a page of the people that a scan finds; `rowsQuery` selects the events that fill their rows. */
async function pageOf(
  question: Question,
  scan: PeopleScan | JourneyPeopleScan,
  rowsQuery: PeopleRequest,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<PeopleResult> {
  const known = await peopleFor(question, job, runtime)
  await scanLanes(scan, job.chunks, known, runtime)
  const { total, people, more } = scan.finish()
  const named = await namesOf(people, known, job, question.request, runtime)
  const last = people.at(-1)
  const rows = await rowsOf(rowsQuery, people, known, named.devices, job, runtime)
  return {
    total,
    people: rows.map((row) => {
      const name = named.nameOf(row)
      return name === undefined ? row : { ...row, name }
    }),
    ...(more && last ? { next: peopleCursor(last) } : {}),
  }
}

async function scanLanes(
  scan: PeopleScan | JourneyPeopleScan | PeopleRows,
  chunks: QueryJob['chunks'],
  { identities }: People,
  runtime: QueryRuntime,
  only?: (chunk: Chunk) => Uint8Array,
): Promise<void> {
  const lanes = [...Map.groupBy(chunks, ({ lane }) => lane).values()]
  const fetches = lanes.map((lane) => fetchesOfLane(scan, lane, identities))
  for await (const lane of prefetchChunks(fetches, runtime))
    scan.scanLane({ lane: lane[0]!.summary.lane, spans: spansOf(lane), identities, ...(only ? { only } : {}) })
}

async function rowsOf(
  request: PeopleRequest,
  people: readonly FoundPerson[],
  known: People,
  devices: DevicesByLane,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<PersonRow[]> {
  const rows = new PeopleRows(request, people, job.context, runtime.budget)
  const present = await devices.present(job.chunks, runtime)
  const only = (chunk: Chunk): Uint8Array => {
    const mask = new Uint8Array(chunk.summary.devices)
    for (const run of devices.runsIn(chunk)) mask[run] = 1
    return mask
  }
  await scanLanes(rows, present, known, runtime, only)
  return rows.finish()
}

/** Finds the devices of people, and the names of those who are users. */
async function namesOf(
  people: readonly FoundPerson[],
  { identities }: People,
  job: QueryJob,
  { count_by: unit = 'person', lanes }: Question['request'],
  runtime: QueryRuntime,
): Promise<{ devices: DevicesByLane; nameOf: (row: PersonRow) => string | undefined }> {
  const users = new Set(unit === 'person' ? people.flatMap(({ id }) => userOf(id) ?? []) : [])
  const namedDevices = people.flatMap(({ id }) => deviceIdsOf(id, unit)).map((id) => deviceOf(job.app, id))
  if (users.size === 0) return { devices: new DevicesByLane(namedDevices, lanes), nameOf: () => undefined }
  const index = await runtime.identities.index(job.app, job.identifying)
  const devices = [...namedDevices, ...index.devicesOfUsers(users)]
  const context = { ...job.context, properties: {} }
  const details = await new PersonDetails(context, identities, devices, lanes).read(job, runtime)
  return {
    devices: new DevicesByLane(devices, lanes),
    nameOf: ({ id }) => {
      const traits = details.traitsOf({ user: userOf(id), device: undefined })
      const name = NAME_TRAITS.map((trait) => traits[trait]).find((value) => typeof value === 'string' && value !== '')
      return name === undefined ? undefined : String(name)
    },
  }
}

function userOf(id: string): string | undefined {
  return id.startsWith('u:') ? id.slice(2) : undefined
}

/**
 * Returns the devices that a unit may belong to: one, except for a session. Its name is `DEVICE/SESSION`, and both ids
 * may contain slashes; the scan finds the right device.
 */
function deviceIdsOf(id: string, unit: 'person' | 'device' | 'session'): string[] {
  if (unit === 'device') return [id]
  if (unit === 'person') return id.startsWith('d:') ? [id.slice(2)] : []
  return [...id.matchAll(/\//g)].map(({ index }) => id.slice(0, index))
}

function deviceOf(app: string, id: string): DeviceKey {
  const { high, low } = deviceHash(app, id)
  return { key: keyOf(high, low), rest: restOf(low) }
}
