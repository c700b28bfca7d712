import type { Client } from 'cassandra-driver'
import type { Key } from '../../ports/table-definitions.ts'
import { concatNumbers } from './concat-numbers.ts'
import { VersionedCache, type KeptEntry } from '../client/versioned-cache.ts'
import type { NameNumbers } from './name-numbers.ts'
import { deltaBefore, rowsMaxOf, rowsSince } from '../visitors/visitor-deltas.ts'
import { digestRows, type VisitorDigest } from './visitor-digest.ts'
import { isOver, readVisitors, type WantedVisitors } from './visitor-digests.ts'

/** Estimated sizes of a cached row and partition. */
const ROW_BYTES = 8
const PARTITION_BYTES = 500

/**
 * The visitors of one key of a partition, by number; `users` has a 0 for an anonymous visitor. A visitor may occur more
 * than once.
 */
export interface KeyVisitors {
  readonly key: Key
  readonly devices: Uint32Array
  readonly users: Uint32Array
}

/** The visitors of one partition; equal ids mean equal content. */
export interface PartitionVisitors {
  readonly id: number
  readonly keys: readonly KeyVisitors[]
  /** the highest number in it is at most this */
  readonly highest: number
}

interface KeptPartition extends PartitionVisitors {
  readonly rows: number
  readonly rowsMax: number
  /** a delta that is contained, as are all before it; undefined if deltas cannot be added */
  readonly since: bigint | undefined
}

type Version = bigint | undefined

/**
 * Caches the visitors of an app. Each name is a number from 1 on, so that distinct visitors are counted without names.
 * When the version of a partition has changed, reads the additions, or everything if they cannot be determined.
 */
export class VisitorCache {
  readonly #client: Client
  readonly #app: string
  readonly #numbers: NameNumbers
  readonly #partitions = new VersionedCache<Version, KeptPartition>(
    Infinity,
    ({ rows }) => PARTITION_BYTES + rows * ROW_BYTES,
  )
  #ids = 0

  constructor(client: Client, app: string, numbers: NameNumbers) {
    this.#client = client
    this.#app = app
    this.#numbers = numbers
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#partitions.bytes
  }

  /** The visitors of a partition. `asOf` is a time before the version was read. */
  partition(wanted: WantedVisitors, asOf: number): Promise<PartitionVisitors> {
    const { table, date, lane, prefix, version } = wanted
    return this.#partitions.get(
      JSON.stringify([table, date, lane, prefix]),
      version,
      asOf,
      async (before) => (await this.#continued(wanted, before)) ?? this.#whole(wanted),
    )
  }

  async #whole(wanted: WantedVisitors): Promise<KeptPartition> {
    // Read before the rows, so that the rows include those of this delta.
    const since =
      wanted.version === undefined || isOver(wanted)
        ? undefined
        : await deltaBefore(this.#client, { ...wanted, app: this.#app })
    const keys = this.#keysOf(await readVisitors(this.#client, this.#app, wanted))
    const rows = keys.reduce((sum, { devices }) => sum + devices.length, 0)
    return { ...this.#now(keys), rows, rowsMax: rowsMaxOf(rows), since }
  }

  async #continued(
    wanted: WantedVisitors,
    before: KeptEntry<Version, KeptPartition> | undefined,
  ): Promise<KeptPartition | undefined> {
    const cached = await before?.value.catch(() => undefined)
    if (cached?.since === undefined || before?.version === undefined || wanted.version === undefined) return undefined
    const added = await rowsSince(
      this.#client,
      { ...wanted, app: this.#app },
      { version: before.version, since: cached.since },
      wanted.version,
    )
    const rows = cached.rows + (added?.rows.length ?? 0)
    if (!added || rows > cached.rowsMax) return undefined
    return {
      ...this.#now(joined(cached.keys, this.#keysOf(digestRows(added.rows)))),
      rows,
      rowsMax: cached.rowsMax,
      since: added.since,
    }
  }

  #now(keys: readonly KeyVisitors[]): PartitionVisitors {
    return { id: ++this.#ids, keys, highest: this.#numbers.size }
  }

  #keysOf({ keys, ends, devices, users }: VisitorDigest): KeyVisitors[] {
    const [deviceNumbers, userNumbers] = [this.#numbers.numbersOf(devices), this.#numbers.numbersOf(users)]
    return keys.map((key, at) => {
      const [begin, end] = [at === 0 ? 0 : ends[at - 1]!, ends[at]!]
      return { key, devices: deviceNumbers.subarray(begin, end), users: userNumbers.subarray(begin, end) }
    })
  }
}

function joined(cached: readonly KeyVisitors[], added: readonly KeyVisitors[]): KeyVisitors[] {
  const keys = new Map(cached.map((each) => [JSON.stringify(each.key), each]))
  for (const { key, devices, users } of added) {
    const id = JSON.stringify(key)
    const own = keys.get(id)
    keys.set(
      id,
      own
        ? { key, devices: concatNumbers(own.devices, devices), users: concatNumbers(own.users, users) }
        : { key, devices, users },
    )
  }
  return [...keys.values()]
}
