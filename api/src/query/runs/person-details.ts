import type { ChunkSummary } from '@hopper/contracts'
import {
  hashOfDevice,
  lowHalf,
  mayHaveTraits,
  propertyFacts,
  PropertyPlan,
  PropertyTotals,
  runOfDevice,
  traitColumns,
  traitFacts,
  Traits,
  type Chunk,
  type DeviceKey,
  type Identities,
} from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { Attributes } from '../query.ts'

/** A person whose traits and computed properties are shown: a user, or a device that was never identified. */
export interface ShownPerson {
  readonly user: string | undefined
  readonly device: DeviceKey | undefined
}

/** Reads traits and computed properties of a few persons, from the runs of their devices only. */
export class PersonDetails {
  readonly #traits = new Traits()
  readonly #totals: readonly { readonly name: string; readonly plan: PropertyPlan; readonly totals: PropertyTotals }[]
  readonly #byLane: ReadonlyMap<number, DeviceSet>

  /** `devices` are all devices of the persons. */
  constructor(
    { properties = {} }: QueryJob['context'],
    identities: Identities,
    devices: readonly DeviceKey[],
    lanes: number,
  ) {
    this.#totals = Object.entries(properties).map(([name, definition]) => ({
      name,
      plan: new PropertyPlan(definition),
      totals: new PropertyTotals(definition.operation, identities),
    }))
    this.#byLane = new Map(
      [...Map.groupBy(devices, (device) => lowHalf(device) % lanes)].map(([lane, own]) => [lane, new DeviceSet(own)]),
    )
  }

  async read({ identifying, history }: QueryJob, place: QueryRuntime): Promise<this> {
    const described = identifying.filter((summary) => mayHaveTraits(summary))
    const traitsOf = (chunk: Chunk, runs: readonly number[]): void =>
      this.#traits.add(traitFacts(chunk, undefined, runs))
    await this.#each(described, (summary) => traitColumns(summary), traitsOf, place)
    for (const { plan, totals } of this.#totals) {
      const matching = history.filter((summary) => plan.canMatch(summary))
      const add = (chunk: Chunk, runs: readonly number[]): void =>
        totals.add(propertyFacts(plan, chunk, place.budget, runs))
      await this.#each(matching, (summary) => plan.columns(summary), add, place)
    }
    return this
  }

  traitsOf({ user }: ShownPerson): Attributes {
    return user === undefined ? {} : this.#traits.of(user)
  }

  /** Returns the computed properties, by name; null where the person has no value. */
  propertiesOf({ user, device }: ShownPerson): Attributes {
    return Object.fromEntries(
      this.#totals.map(({ name, totals }) => [
        name,
        user === undefined ? totals.ofDevice(device!) : totals.ofUser(user),
      ]),
    )
  }

  /** Calls `add` for each chunk that has any of the devices, with their runs. */
  async #each(
    chunks: readonly ChunkSummary[],
    columns: (summary: ChunkSummary) => readonly string[],
    add: (chunk: Chunk, runs: readonly number[]) => void,
    { source, budget }: QueryRuntime,
  ): Promise<void> {
    const near = chunks.filter((summary) => this.#byLane.get(summary.lane)?.mayBeIn(summary))
    for (const batch of batchesOf(near.map((summary) => ({ summary, names: ['runs'] })))) {
      const present = (await source.chunks(batch))
        .filter((chunk) => this.#runsIn(chunk).length > 0)
        .map(({ summary }) => ({ summary, names: columns(summary) }))
      for (const batch of batchesOf(present)) {
        for (const chunk of await source.chunks(batch)) {
          budget.check()
          add(chunk, this.#runsIn(chunk))
        }
      }
    }
  }

  #runsIn(chunk: Chunk): number[] {
    const devices = this.#byLane.get(chunk.summary.lane)?.devices ?? []
    return devices.map((device) => runOfDevice(chunk, device)).filter((run) => run >= 0)
  }
}

/** Devices of a lane, sorted by their hash like those of a chunk. */
class DeviceSet {
  readonly devices: readonly DeviceKey[]
  readonly #hashes: readonly string[]

  constructor(devices: readonly DeviceKey[]) {
    const byHash = new Map(devices.map((device) => [hashOfDevice(device), device]))
    this.#hashes = [...byHash.keys()].sort()
    this.devices = this.#hashes.map((hash) => byHash.get(hash)!)
  }

  mayBeIn({ first_device, last_device }: ChunkSummary): boolean {
    return this.#hashes.some((hash) => first_device <= hash && hash <= last_device)
  }
}
