import { deviceHash, type ArchivedEvent, type ChunkSummary } from '@hopper/contracts'
import {
  comparePlaces,
  eventsOfRun,
  keyOf,
  lowHalf,
  mayHave,
  restOf,
  runOfDevice,
  type Chunk,
  type DeviceKey,
  type EventPlace,
} from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { Attributes, PersonResult, QueryOf } from '../query.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import { PersonDetails } from './person-details.ts'
import { prefetchChunks } from './prefetch-chunks.ts'

type Device = DeviceKey & { readonly first: boolean }

/** Collects the data of a person in a range: a user with all its devices, or one device. */
export async function runPerson(
  { request }: QueryOf<'person'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<PersonResult> {
  const { app, chunks, identifying } = job
  const { kind, id, lanes, limit } = request
  const index = await runtime.identities.index(app, identifying)
  const devices = kind === 'user' ? index.devicesOf(id) : [deviceOf(app, id)]
  const timeline = new PersonTimeline(limit, request.before)
  const near = chunks.filter((summary) =>
    devices.some((device) => lowHalf(device) % lanes === summary.lane && mayHave(summary, device)),
  )
  for await (const batch of prefetchChunks(batchesOf(near.map((summary) => ({ summary, names: ['runs'] }))), runtime)) {
    const present = batch
      .filter((chunk) => devices.some((device) => runOfDevice(chunk, device) >= 0))
      .map(({ summary }) => summary)
    for (const some of batchesOf(present.map((summary) => ({ summary, names: Object.keys(summary.columns) })))) {
      for (const chunk of await runtime.source.chunks(some)) collect(timeline, chunk, devices, request, runtime)
    }
  }
  const users = kind === 'device' ? index.usersOf(deviceOf(app, id)) : [id]
  // of a device, those of its first user: that is who its anonymous events belong to
  const shown = { user: users[0], device: kind === 'device' ? deviceOf(app, id) : undefined }
  const shownDevices = shown.user === undefined ? devices : index.devicesOf(shown.user)
  const details = await new PersonDetails(job.context, index.identities(), shownDevices, lanes).read(job, runtime)
  return timeline.result(users, details.traitsOf(shown), details.propertiesOf(shown))
}

function deviceOf(app: string, id: string): Device {
  const { high, low } = deviceHash(app, id)
  return { key: keyOf(high, low), rest: restOf(low), first: true }
}

function collect(
  timeline: PersonTimeline,
  chunk: Chunk,
  devices: readonly Device[],
  request: QueryOf<'person'>['request'],
  { budget }: QueryRuntime,
): void {
  const { kind, id } = request
  for (const device of devices) {
    budget.check()
    const run = runOfDevice(chunk, device)
    if (run < 0) continue
    const wanted = (user: string): boolean => kind === 'device' || user === id || (user === '' && device.first)
    for (const event of eventsOfRun(chunk, run, request, wanted)) timeline.add(event, chunk.summary)
  }
}

/** Gathers the events of a person, in any order. */
class PersonTimeline {
  readonly #wanted: number
  readonly #before: EventPlace | undefined
  readonly #devices = new Map<string, { first: number; last: number; events: number }>()
  #events = 0
  #newest: PersonResult['timeline'][number][] = []

  constructor(limit: number, before: EventPlace | undefined) {
    // One more than requested shows whether there are older events.
    this.#wanted = limit + 1
    this.#before = before
  }

  add(archived: ArchivedEvent, { lane }: ChunkSummary): void {
    const { event, device_id } = archived
    const time = event.timestamp
    this.#events++
    const device = this.#devices.get(device_id)
    if (device)
      Object.assign(device, {
        first: Math.min(device.first, time),
        last: Math.max(device.last, time),
        events: device.events + 1,
      })
    else this.#devices.set(device_id, { first: time, last: time, events: 1 })
    const placed = { ...archived, lane }
    if (this.#before && comparePlaces(placeOf(placed), this.#before) >= 0) return
    this.#newest.push(placed)
    if (this.#newest.length >= this.#wanted * 2 + 64) this.#truncate()
  }

  result(users: readonly string[], traits: Attributes, properties: Attributes): PersonResult {
    this.#truncate()
    return {
      users,
      events: this.#events,
      timeline: this.#newest.slice(0, this.#wanted - 1),
      more: this.#newest.length === this.#wanted,
      devices: [...this.#devices]
        .map(([device_id, device]) => ({ device_id, ...device }))
        .sort((a, b) => b.last - a.last || (a.device_id < b.device_id ? -1 : 1)),
      traits,
      properties,
    }
  }

  #truncate(): void {
    this.#newest = this.#newest.sort((a, b) => comparePlaces(placeOf(b), placeOf(a))).slice(0, this.#wanted)
  }
}

function placeOf({ event, position, lane, index }: PersonResult['timeline'][number]): EventPlace {
  return [event.timestamp, event.seq, position, lane, index]
}
