import type { Client } from 'cassandra-driver'
import { concatNumbers } from './concat-numbers.ts'
import { DeltaCache } from './delta-cache.ts'
import { writeNameHash } from '../client/name-hash.ts'
import type { NameNumbers } from './name-numbers.ts'
import { rowsOf } from '../client/statements.ts'
import type { VisitorRow } from '../visitors/visitor-block.ts'
import { NO_DATE } from '../visitors/visitor-parts.ts'

/** Estimated sizes of a cached lane and of a first user in it. */
const LANE_BYTES = 500
const FIRST_USER_BYTES = 16

/**
 * The users that devices of a lane were identified as, by number, in order of place. If a device occurs several times,
 * its first entry counts.
 */
export interface FirstUsers {
  /** unchanged as long as entries are only appended */
  readonly id: number
  readonly devices: Uint32Array
  readonly users: Uint32Array
  /** the highest number in it is at most this */
  readonly highest: number
}

interface CachedLane extends FirstUsers {
  readonly rows: number
  /** place of the last entry */
  readonly place: number
}

interface Identified {
  readonly device: string
  readonly user: string
  readonly place: number
}

/**
 * Caches the first users of an app's devices. When the version of a lane has changed, reads the additions, or
 * everything.
 */
export class FirstUserCache {
  readonly #client: Client
  readonly #app: string
  readonly #numbers: NameNumbers
  readonly #lanes: DeltaCache<CachedLane>
  #ids = 0

  constructor(client: Client, app: string, numbers: NameNumbers) {
    this.#client = client
    this.#app = app
    this.#numbers = numbers
    this.#lanes = new DeltaCache(client, ({ rows }) => LANE_BYTES + rows * FIRST_USER_BYTES)
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#lanes.bytes
  }

  /** The first users of a lane. `asOf` is a time before the version was read. */
  lane(lane: number, version: bigint | undefined, asOf: number): Promise<FirstUsers> {
    return this.#lanes.get(String(lane), version, asOf, {
      place: { table: 'first_users', app: this.#app, date: NO_DATE, lane, prefix: [] },
      isGrowing: true,
      read: () => this.#read(lane),
      extend: (cached, added) => this.#extended(cached, added),
    })
  }

  async #read(lane: number): Promise<CachedLane> {
    const rows = await rowsOf(this.#client, 'identity.firstUsers', [this.#app, lane])
    const all = rows.map((row) => ({
      device: row.get('device') as string,
      user: row.get('user') as string,
      place: Number(row.get('place')),
    }))
    return { id: ++this.#ids, ...this.#numbered(all, -1) }
  }

  #extended(cached: CachedLane, added: readonly VisitorRow[]): CachedLane | undefined {
    const identified = added.map(({ key, visitor }): Identified => ({ ...visitor, place: Number(key[0]) }))
    // An addition before the cached places is a repair. It cannot be merged, since the cache has no place for each
    // entry.
    if (identified.some(({ place }) => place < cached.place)) return undefined
    const { devices, users, rows, ...rest } = this.#numbered(identified, cached.place)
    return {
      ...cached,
      ...rest,
      rows: cached.rows + rows,
      devices: concatNumbers(cached.devices, devices),
      users: concatNumbers(cached.users, users),
    }
  }

  #numbered(identified: readonly Identified[], place: number): Omit<CachedLane, 'id'> {
    const sorted = [...identified].sort((a, b) => a.place - b.place)
    const [devices, users] = [sorted.map(({ device }) => `d:${device}`), sorted.map(({ user }) => `u:${user}`)].map(
      (names) => this.#numbersOf(names),
    ) as [Uint32Array, Uint32Array]
    return {
      devices,
      users,
      highest: this.#numbers.size,
      rows: sorted.length,
      place: sorted.at(-1)?.place ?? place,
    }
  }

  #numbersOf(names: readonly string[]): Uint32Array {
    const halves = new Uint32Array(2 * names.length)
    names.forEach((name, index) => writeNameHash(name, halves, 2 * index))
    return this.#numbers.numbersOf(halves)
  }
}
