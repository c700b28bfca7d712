import type { Client } from 'cassandra-driver'
import { concatNumbers } from './concat-numbers.ts'
import { VersionedCache, type KeptEntry } from '../client/versioned-cache.ts'
import { writeNameHash } from '../client/name-hash.ts'
import type { NameNumbers } from './name-numbers.ts'
import { rowsOf } from '../client/statements.ts'
import { deltaBefore, rowsMaxOf, rowsSince } from '../visitors/visitor-deltas.ts'
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

interface KeptLane extends FirstUsers {
  /** place of the last entry */
  readonly place: number
  readonly rowsMax: number
  /** a delta that is contained, as are all before it */
  readonly since: bigint
}

interface Identified {
  readonly device: string
  readonly user: string
  readonly place: number
}

type Version = bigint | undefined

/**
 * Caches the first users of an app's devices. When the version of a lane has changed, reads the additions, or
 * everything.
 */
export class FirstUserCache {
  readonly #client: Client
  readonly #app: string
  readonly #numbers: NameNumbers
  readonly #lanes = new VersionedCache<Version, KeptLane>(
    Infinity,
    ({ devices: { length } }) => LANE_BYTES + length * FIRST_USER_BYTES,
  )
  #ids = 0

  constructor(client: Client, app: string, numbers: NameNumbers) {
    this.#client = client
    this.#app = app
    this.#numbers = numbers
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#lanes.bytes
  }

  /** The first users of a lane. `asOf` is a time before the version was read. */
  lane(lane: number, version: Version, asOf: number): Promise<FirstUsers> {
    return this.#lanes.get(
      String(lane),
      version,
      asOf,
      async (before) => (await this.#continued(lane, version, before)) ?? this.#whole(lane),
    )
  }

  async #whole(lane: number): Promise<KeptLane> {
    const since = await deltaBefore(this.#client, { app: this.#app, date: NO_DATE, lane })
    const rows = await rowsOf(this.#client, 'identity.firstUsers', [this.#app, lane])
    const all = rows.map((row) => ({
      device: row.get('device') as string,
      user: row.get('user') as string,
      place: Number(row.get('place')),
    }))
    return { id: ++this.#ids, ...this.#numbered(all, -1), rowsMax: rowsMaxOf(all.length), since }
  }

  async #continued(
    lane: number,
    version: Version,
    before: KeptEntry<Version, KeptLane> | undefined,
  ): Promise<KeptLane | undefined> {
    const cached = await before?.value.catch(() => undefined)
    if (!cached || before?.version === undefined || version === undefined) return undefined
    const place = { table: 'first_users', app: this.#app, date: NO_DATE, lane, prefix: [] } as const
    const added = await rowsSince(this.#client, place, { version: before.version, since: cached.since }, version)
    const rows = added?.rows.map(({ key, visitor }): Identified => ({ ...visitor, place: Number(key[0]) }))
    // A place before the cached ones is a repair: the cache does not know the place of each entry.
    const isRepair = rows?.some(({ place: at }) => at < cached.place)
    if (!rows || isRepair || cached.devices.length + rows.length > cached.rowsMax) return undefined
    const { devices, users, ...rest } = this.#numbered(rows, cached.place)
    return {
      ...cached,
      ...rest,
      devices: concatNumbers(cached.devices, devices),
      users: concatNumbers(cached.users, users),
      since: added!.since,
    }
  }

  #numbered(identified: readonly Identified[], place: number): Omit<KeptLane, 'id' | 'rowsMax' | 'since'> {
    const sorted = [...identified].sort((a, b) => a.place - b.place)
    const [devices, users] = [sorted.map(({ device }) => `d:${device}`), sorted.map(({ user }) => `u:${user}`)].map(
      (names) => this.#numbersOf(names),
    ) as [Uint32Array, Uint32Array]
    return { devices, users, highest: this.#numbers.size, place: sorted.at(-1)?.place ?? place }
  }

  #numbersOf(names: readonly string[]): Uint32Array {
    const halves = new Uint32Array(2 * names.length)
    names.forEach((name, at) => writeNameHash(name, halves, 2 * at))
    return this.#numbers.numbersOf(halves)
  }
}
