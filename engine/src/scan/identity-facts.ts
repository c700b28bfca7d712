import { limits } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { OTHER_DEVICES, SEVERAL_USERS, type Identities } from './identities.ts'

/**
 * The places at which devices were first seen as a user: one fact per device and user, ascending by device hash, then
 * by place in the log.
 */
export interface IdentityFacts {
  readonly keys: Float64Array
  readonly rests: Uint16Array
  /** order in the lane, from position and index of the event */
  readonly places: Float64Array
  /** indexes into `users` */
  readonly codes: Uint32Array
  readonly users: readonly string[]
}

/** The columns of a chunk from which its facts are read. */
export const identityColumns = ['runs', 'user', 'position', 'index'] as const

/** Reads the facts of one chunk. */
export function identityFacts(chunk: Chunk): IdentityFacts {
  const column = chunk.values('user')
  if (!column) return factsOf([], [])
  const users = column.values.map((value) => (value === null ? '' : String(value)))
  const { keys, rests, starts } = chunk.runs()
  const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
  const facts: Fact[] = []
  for (let run = 0; run < keys.length; run++) {
    const firsts = new Map<number, number>()
    for (let row = starts[run]!; row < starts[run + 1]!; row++) {
      const code = column.codes[row]!
      if (column.values[code] === null) continue
      const place = positions[row]! * limits.eventsPerBatchMax + indexes[row]!
      const known = firsts.get(code)
      if (known === undefined || place < known) firsts.set(code, place)
    }
    for (const [code, place] of [...firsts].sort((a, b) => a[1] - b[1]))
      facts.push({ key: keys[run]!, rest: rests[run]!, place, code })
  }
  return factsOf(facts, users)
}

/** Estimates the memory of facts in bytes. */
export function bytesOfFacts({ keys, users }: IdentityFacts): number {
  return keys.length * 22 + users.reduce((sum, user) => sum + user.length * 2 + 40, 200)
}

interface Fact {
  readonly key: number
  readonly rest: number
  readonly place: number
  readonly code: number
}

function factsOf(facts: readonly Fact[], users: readonly string[]): IdentityFacts {
  return {
    keys: Float64Array.from(facts, ({ key }) => key),
    rests: Uint16Array.from(facts, ({ rest }) => rest),
    places: Float64Array.from(facts, ({ place }) => place),
    codes: Uint32Array.from(facts, ({ code }) => code),
    users,
  }
}

type Sorted = Omit<IdentityFacts, 'users'>

/**
 * The merged facts of many chunks. Adding known facts changes nothing: `add` then returns false, and `identities` keeps
 * returning the same object.
 */
export class IdentityIndex {
  readonly #codes = new Map<string, number>()
  readonly #users: string[] = []
  #facts: Sorted = factsOf([], [])
  #identities: Identities | undefined

  add(added: readonly IdentityFacts[]): boolean {
    const before = this.#facts
    // merges pairwise, so that each fact is copied only log2(lists) times
    let lists = added.filter(({ keys }) => keys.length > 0).map((facts) => this.#recoded(facts))
    while (lists.length > 1)
      lists = Array.from({ length: Math.ceil(lists.length / 2) }, (_, i) =>
        lists[2 * i + 1] ? merge(lists[2 * i]!, lists[2 * i + 1]!) : lists[2 * i]!,
      )
    if (lists.length === 0) return false
    this.#facts = merge(before, lists[0]!)
    if (sameUsers(this.#facts, before)) return false
    this.#identities = undefined
    return true
  }

  /** Returns the identities for a scan. */
  identities(): Identities {
    return (this.#identities ??= identitiesFrom(this.#facts, this.#users))
  }

  /** Returns the devices that were ever identified as a user, and whether it was their first. */
  devicesOf(user: string): { readonly key: number; readonly rest: number; readonly first: boolean }[] {
    const code = this.#codes.get(user)
    const { keys, rests, codes } = this.#facts
    const found: { key: number; rest: number; first: boolean }[] = []
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] === code)
        found.push({
          key: keys[i]!,
          rest: rests[i]!,
          first: i === 0 || keys[i - 1] !== keys[i] || rests[i - 1] !== rests[i],
        })
    }
    return found
  }

  /** Returns the devices that were ever identified as any of these users. */
  devicesOfUsers(users: ReadonlySet<string>): { readonly key: number; readonly rest: number }[] {
    const wanted = new Set([...users].map((user) => this.#codes.get(user)))
    const { keys, rests, codes } = this.#facts
    const found: { key: number; rest: number }[] = []
    for (let i = 0; i < codes.length; i++) if (wanted.has(codes[i])) found.push({ key: keys[i]!, rest: rests[i]! })
    return found
  }

  /** Returns the users that a device was ever identified as, in log order. */
  usersOf({ key, rest }: { readonly key: number; readonly rest: number }): string[] {
    const { keys, rests, codes } = this.#facts
    return Array.from(codes)
      .filter((_, i) => keys[i] === key && rests[i] === rest)
      .map((code) => this.#users[code]!)
  }

  #recoded({ users, codes, ...facts }: IdentityFacts): Sorted {
    const table = users.map((user) => this.#code(user))
    return { ...facts, codes: codes.map((code) => table[code]!) }
  }

  #code(user: string): number {
    let code = this.#codes.get(user)
    if (code === undefined) {
      this.#codes.set(user, (code = this.#users.length))
      this.#users.push(user)
    }
    return code
  }
}

/** Merges two sorted lists. The facts of a device are adjacent, its users ordered by their first place. */
function merge(a: Sorted, b: Sorted): Sorted {
  const size = a.keys.length + b.keys.length
  const out = {
    keys: new Float64Array(size),
    rests: new Uint16Array(size),
    places: new Float64Array(size),
    codes: new Uint32Array(size),
  }
  let length = 0
  const take = (from: Sorted, i: number): void => {
    out.keys[length] = from.keys[i]!
    out.rests[length] = from.rests[i]!
    out.places[length] = from.places[i]!
    out.codes[length++] = from.codes[i]!
  }
  let [i, j] = [0, 0]
  while (i < a.keys.length && j < b.keys.length) {
    const order = a.keys[i]! - b.keys[j]! || a.rests[i]! - b.rests[j]!
    if (order < 0) take(a, i++)
    else if (order > 0) take(b, j++)
    else {
      const begin = length
      const [endA, endB] = [endOf(a, i), endOf(b, j)]
      while (i < endA || j < endB) {
        const [from, index] = j >= endB || (i < endA && a.places[i]! <= b.places[j]!) ? [a, i++] : [b, j++]
        if (out.codes.subarray(begin, length).indexOf(from.codes[index]!) < 0) take(from, index)
      }
    }
  }
  while (i < a.keys.length) take(a, i++)
  while (j < b.keys.length) take(b, j++)
  return length === size
    ? out
    : {
        keys: out.keys.slice(0, length),
        rests: out.rests.slice(0, length),
        places: out.places.slice(0, length),
        codes: out.codes.slice(0, length),
      }
}

/** Returns the exclusive end of the facts of the device at `i`. */
function endOf({ keys, rests }: Sorted, i: number): number {
  let end = i + 1
  while (end < keys.length && keys[end] === keys[i] && rests[end] === rests[i]) end++
  return end
}

/** Returns whether the same devices have the same users in the same order. */
function sameUsers(a: Sorted, b: Sorted): boolean {
  return (
    a.keys.length === b.keys.length &&
    a.keys.every((key, i) => key === b.keys[i] && a.rests[i] === b.rests[i] && a.codes[i] === b.codes[i])
  )
}

function identitiesFrom({ keys, rests, codes }: Sorted, users: readonly string[]): Identities {
  const devicesOfUser = new Uint32Array(users.length)
  for (const code of codes) devicesOfUser[code]!++
  let devices = 0
  const out = {
    keys: new Float64Array(keys.length),
    rests: new Uint16Array(keys.length),
    firstUser: new Uint32Array(keys.length),
    shared: new Uint8Array(keys.length),
  }
  for (let i = 0; i < keys.length; devices++) {
    const end = endOf({ keys, rests, codes, places: keys }, i)
    out.keys[devices] = keys[i]!
    out.rests[devices] = rests[i]!
    out.firstUser[devices] = codes[i]!
    out.shared[devices] = end - i > 1 ? SEVERAL_USERS : devicesOfUser[codes[i]!]! > 1 ? OTHER_DEVICES : 0
    i = end
  }
  const cut = <T extends { slice(from: number, to: number): T }>(array: T): T =>
    devices === keys.length ? array : array.slice(0, devices)
  return {
    keys: cut(out.keys),
    rests: cut(out.rests),
    firstUser: cut(out.firstUser),
    shared: cut(out.shared),
    users: [...users],
  }
}
