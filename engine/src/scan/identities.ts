import { deviceHash } from '@hopper/contracts'
import { keyOf, restOf } from '../chunk/device-order.ts'

/** A device that was ever identified: its users in the order of the log. */
export interface DeviceUsers {
  readonly device_id: string
  readonly users: readonly string[]
}

/**
 * Who the identified devices of an app belong to, sorted like the devices of chunks. Read it after the list of chunks, so that it knows
 * every user that a chunk's rows name. A device is `shared` when its rows alone do not tell a person's whole story: it had several users,
 * or its user has other devices.
 */
export interface Identities {
  readonly keys: Float64Array
  readonly rests: Uint16Array
  /** into `users`: the device's anonymous events are this user's */
  readonly firstUser: Uint32Array
  readonly shared: Uint8Array
  readonly users: readonly string[]
}

export function identitiesOf(app: string, devices: Iterable<DeviceUsers>): Identities {
  const codes = new Map<string, number>()
  const users: string[] = []
  const devicesOfUser: number[] = []
  const entries = [...devices].filter((device) => device.users.length > 0).map(({ device_id, users: names }) => {
    const { high, low } = deviceHash(app, device_id)
    const own = [...new Set(names)].map((name) => {
      let code = codes.get(name)
      if (code === undefined) {
        codes.set(name, (code = users.length))
        users.push(name)
        devicesOfUser.push(0)
      }
      devicesOfUser[code]!++
      return code
    })
    return { key: keyOf(high, low), rest: restOf(low), own }
  })
  entries.sort((a, b) => a.key - b.key || a.rest - b.rest)
  return {
    keys: Float64Array.from(entries, (entry) => entry.key),
    rests: Uint16Array.from(entries, (entry) => entry.rest),
    firstUser: Uint32Array.from(entries, (entry) => entry.own[0]!),
    shared: Uint8Array.from(entries, (entry) => (entry.own.length > 1 || devicesOfUser[entry.own[0]!]! > 1 ? 1 : 0)),
    users,
  }
}

/** Looks devices up in ascending order of their hash, each in amortized constant time. */
export class IdentityCursor {
  readonly #identities: Identities
  #at = 0

  constructor(identities: Identities) {
    this.#identities = identities
  }

  /** The entry of this device, -1 when it was never identified. Devices must be asked for in ascending order. */
  find(key: number, rest: number): number {
    const { keys, rests } = this.#identities
    let at = this.#at
    while (at < keys.length && (keys[at]! < key || (keys[at]! === key && rests[at]! < rest))) at++
    this.#at = at
    return at < keys.length && keys[at]! === key && rests[at]! === rest ? at : -1
  }
}
