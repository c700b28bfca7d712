import type { Client } from 'cassandra-driver'
import { concatNumbers } from './concat-numbers.ts'
import { VersionedCache, type KeptEntry } from '../client/versioned-cache.ts'
import { writeNameHash } from '../client/name-hash.ts'
import type { NameNumbers } from './name-numbers.ts'
import { rowsOf } from '../client/statements.ts'
import { deltaBefore, rowsMaxOf, rowsSince } from '../visitors/visitor-deltas.ts'
import { NO_DATE } from '../visitors/visitor-parts.ts'

/** So many bytes stand for a lane and a first user in the estimate of what is kept. */
const LANE_BYTES = 500
const FIRST_USER_BYTES = 16

/**
 * As whom devices of a lane were identified, by number, in the order of their places: of several of a device the first
 * counts.
 */
export interface FirstUsers {
  /** the same as long as more is added at the end only */
  readonly id: number
  readonly devices: Uint32Array
  readonly users: Uint32Array
  /** no number in it is higher */
  readonly highest: number
}

interface KeptLane extends FirstUsers {
  /** of the last one */
  readonly place: number
  readonly rowsMax: number
  /** a delta that is in it, as all before it are */
  readonly since: bigint
}

interface Identified {
  readonly device: string
  readonly user: string
  readonly place: number
}

type Version = bigint | undefined

/**
 * The first users of an app's devices as they were read last. When the version of a lane is another, what was added
 * since is read, or all of it.
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

  /** about how much memory this takes */
  get bytes(): number {
    return this.#lanes.bytes
  }

  /** `asOf` is a moment before the version was read. */
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
    const kept = await before?.value.catch(() => undefined)
    if (!kept || before?.version === undefined || version === undefined) return undefined
    const place = { table: 'first_users', app: this.#app, date: NO_DATE, lane, prefix: [] } as const
    const added = await rowsSince(this.#client, place, { version: before.version, since: kept.since }, version)
    const rows = added?.rows.map(({ key, visitor }): Identified => ({ ...visitor, place: Number(key[0]) }))
    // An earlier place than those that are there is a repair: what is kept does not tell the place of each.
    if (!rows || kept.devices.length + rows.length > kept.rowsMax || rows.some(({ place: at }) => at < kept.place))
      return undefined
    const { devices, users, ...rest } = this.#numbered(rows, kept.place)
    return {
      ...kept,
      ...rest,
      devices: concatNumbers(kept.devices, devices),
      users: concatNumbers(kept.users, users),
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
