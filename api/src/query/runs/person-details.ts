import {
  mayHaveTraits,
  propertyFacts,
  PropertyPlan,
  PropertyTotals,
  traitColumns,
  traitFacts,
  Traits,
  type Chunk,
  type DeviceKey,
  type Identities,
} from '@hopper/engine'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { Attributes } from '../query.ts'
import { DevicesByLane } from './devices-by-lane.ts'

/** A person whose traits and computed properties are shown: a user, or a device that was never identified. */
export interface ShownPerson {
  readonly user: string | undefined
  readonly device: DeviceKey | undefined
}

/** Reads traits and computed properties of a few persons, from the runs of their devices only. */
export class PersonDetails {
  readonly #traits = new Traits()
  readonly #totals: readonly { readonly name: string; readonly plan: PropertyPlan; readonly totals: PropertyTotals }[]
  readonly #devices: DevicesByLane

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
    this.#devices = new DevicesByLane(devices, lanes)
  }

  async read({ identifying, history }: QueryJob, runtime: QueryRuntime): Promise<this> {
    const described = identifying.filter((summary) => mayHaveTraits(summary))
    const traitsOf = (chunk: Chunk, runs: readonly number[]): void =>
      this.#traits.add(traitFacts(chunk, undefined, runs))
    await this.#devices.each(described, (summary) => traitColumns(summary), traitsOf, runtime)
    for (const { plan, totals } of this.#totals) {
      const matching = history.filter((summary) => plan.canMatch(summary))
      const add = (chunk: Chunk, runs: readonly number[]): void =>
        totals.add(propertyFacts(plan, chunk, runtime.budget, runs))
      await this.#devices.each(matching, (summary) => plan.columns(summary), add, runtime)
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
}
