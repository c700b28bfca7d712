import type { Value } from '@hopper/contracts'
import { identitiesOf, type Identities } from '../scan/identities.ts'

/** A device by its hash, split like the sort order of chunks (`device-order.ts`). */
export interface DeviceKey {
  readonly key: number
  readonly rest: number
}

/** The values of one person key, by person: a user with all devices, or a device that was never identified. */
export interface PersonValues {
  ofUser(user: string): Value | null
  ofDevice(device: DeviceKey): Value | null
}

let versions = 0

/** The known people of an app: who the devices belong to, and the values of keys like `trait.plan`. */
export class People {
  readonly identities: Identities
  /** distinguishes cached results that were computed from different people in the same thread */
  readonly version = versions++
  readonly #values: ReadonlyMap<string, PersonValues>

  constructor(identities: Identities, values: ReadonlyMap<string, PersonValues> = new Map()) {
    this.identities = identities
    this.#values = values
  }

  /** Returns the values of a trait or computed property; undefined if nothing is known of the key. */
  values(key: string): PersonValues | undefined {
    return this.#values.get(key)
  }
}

/** Nobody was ever identified: each device is its own person. */
export const noPeople = new People(identitiesOf('', []))
