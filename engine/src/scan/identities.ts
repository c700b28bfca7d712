import { deviceHash } from '@hopper/contracts'
import { keyOf, restOf } from '../chunk/device-order.ts'

/** The only user of the device has other devices too. */
export const OTHER_DEVICES = 1
/** The device had several users; its rows contain the user in effect. */
export const SEVERAL_USERS = 2

/** A device that was ever identified, with its users in log order. */
export interface DeviceUsers {
  readonly device_id: string
  readonly users: readonly string[]
}

/**
 * Users of the identified devices of an app, sorted like the devices of chunks. Must be read after the list of chunks,
 * so that it contains every user that occurs in a chunk's rows.
 */
export interface Identities {
  readonly keys: Float64Array
  readonly rests: Uint16Array
  /** index into `users`: the device's anonymous events belong to this user */
  readonly firstUser: Uint32Array
  /** `OTHER_DEVICES` or `SEVERAL_USERS`; 0 if the device has one user, who has no other device */
  readonly shared: Uint8Array
  readonly users: readonly string[]
}

/** Builds the identities of an app's devices, of which those without a user are left out. */
export function identitiesOf(app: string, devices: Iterable<DeviceUsers>): Identities {
  const codes = new Map<string, number>()
  const users: string[] = []
  const devicesOfUser: number[] = []
  const entries = [...devices]
    .filter((device) => device.users.length > 0)
    .map(({ device_id, users: names }) => {
      const { high, low } = deviceHash(app, device_id)
      const codesOfUsers = [...new Set(names)].map((name) => {
        let code = codes.get(name)
        if (code === undefined) {
          codes.set(name, (code = users.length))
          users.push(name)
          devicesOfUser.push(0)
        }
        devicesOfUser[code]!++
        return code
      })
      return { key: keyOf(high, low), rest: restOf(low), users: codesOfUsers }
    })
  entries.sort((a, b) => a.key - b.key || a.rest - b.rest)
  return {
    keys: Float64Array.from(entries, (entry) => entry.key),
    rests: Uint16Array.from(entries, (entry) => entry.rest),
    firstUser: Uint32Array.from(entries, (entry) => entry.users[0]!),
    shared: Uint8Array.from(entries, (entry) =>
      entry.users.length > 1 ? SEVERAL_USERS : devicesOfUser[entry.users[0]!]! > 1 ? OTHER_DEVICES : 0,
    ),
    users,
  }
}

/** Finds the entry of a device, -1 when it was never identified. */
export function identityOf({ keys, rests }: Identities, key: number, rest: number): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key || (keys[middle]! === key && rests[middle]! < rest)) low = middle + 1
    else high = middle
  }
  return keys[low] === key && rests[low] === rest ? low : -1
}

/** Finds the shared devices among the devices of chunks that are visited in ascending order. */
export class SharedCursor {
  readonly #identities: Identities
  /** the entries of shared devices, ascending */
  readonly #entries: Uint32Array
  /** the entry of the last device found */
  entry = -1
  #at = 0

  constructor(identities: Identities) {
    this.#identities = identities
    this.#entries = sharedEntries(identities)
  }

  /** Finds the first run from `from` up to `end` whose device is shared, else `end`. */
  next(keys: Float64Array, rests: Uint16Array, from: number, end: number): number {
    for (let run = from; run < end && this.#at < this.#entries.length; this.#at++) {
      const entry = this.#entries[this.#at]!
      const key = this.#identities.keys[entry]!
      const rest = this.#identities.rests[entry]!
      run = firstNotBefore(keys, rests, run, end, key, rest)
      // keeps the entry, because the device may continue in the next chunk
      if (run === end) return end
      if (keys[run] !== key || rests[run] !== rest) continue
      this.entry = entry
      return run
    }
    return end
  }
}

const entriesKnown = new WeakMap<Identities, Uint32Array>()

function sharedEntries(identities: Identities): Uint32Array {
  let entries = entriesKnown.get(identities)
  if (!entries) {
    const { shared } = identities
    let count = 0
    entries = new Uint32Array(shared.length)
    for (let entry = 0; entry < shared.length; entry++) if (shared[entry]! > 0) entries[count++] = entry
    entriesKnown.set(identities, (entries = entries.slice(0, count)))
  }
  return entries
}

/**
 * Finds the first run from `from` up to `end` that is not before a device. Uses exponential search, because it is
 * rarely far away.
 */
function firstNotBefore(
  keys: Float64Array,
  rests: Uint16Array,
  from: number,
  end: number,
  key: number,
  rest: number,
): number {
  const before = (run: number): boolean => keys[run]! < key || (keys[run]! === key && rests[run]! < rest)
  let low = from
  let step = 1
  while (low + step < end && before(low + step)) {
    low += step
    step *= 2
  }
  let high = Math.min(low + step, end)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (before(middle)) low = middle + 1
    else high = middle
  }
  return low
}
