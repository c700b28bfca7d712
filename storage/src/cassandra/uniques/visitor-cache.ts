import type { Client } from 'cassandra-driver'
import type { Key } from '../../ports/table-definitions.ts'
import { concatNumbers } from './concat-numbers.ts'
import { DeltaCache } from './delta-cache.ts'
import type { NameNumbers } from './name-numbers.ts'
import { digestRows, type VisitorDigest } from './visitor-digest.ts'
import { isQuietDate, readVisitors, type WantedVisitors } from './visitor-digests.ts'

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

interface CachedPartition extends PartitionVisitors {
  readonly rows: number
}

/**
 * Caches the visitors of an app. Each name is a number from 1 on, so that distinct visitors are counted without names.
 * When the version of a partition has changed, reads the additions, or everything if they cannot be determined.
 */
export class VisitorCache {
  readonly #client: Client
  readonly #app: string
  readonly #numbers: NameNumbers
  readonly #partitions: DeltaCache<CachedPartition>
  #ids = 0

  constructor(client: Client, app: string, numbers: NameNumbers) {
    this.#client = client
    this.#app = app
    this.#numbers = numbers
    this.#partitions = new DeltaCache(client, ({ rows }) => PARTITION_BYTES + rows * ROW_BYTES)
  }

  /** estimated memory in use */
  get bytes(): number {
    return this.#partitions.bytes
  }

  /** The visitors of a partition. `asOf` is a time before the version was read. */
  partition(wanted: WantedVisitors, asOf: number): Promise<PartitionVisitors> {
    const { table, date, lane, prefix, version } = wanted
    return this.#partitions.get(JSON.stringify([table, date, lane, prefix]), version, asOf, {
      place: { ...wanted, app: this.#app },
      isGrowing: version !== undefined && !isQuietDate(wanted),
      read: async () => this.#cached(this.#keysOf(await readVisitors(this.#client, this.#app, wanted))),
      extend: ({ keys }, added) => this.#cached(mergeVisitors(keys, this.#keysOf(digestRows(added)))),
    })
  }

  #cached(keys: readonly KeyVisitors[]): CachedPartition {
    const rows = keys.reduce((sum, { devices }) => sum + devices.length, 0)
    return { id: ++this.#ids, keys, highest: this.#numbers.size, rows }
  }

  #keysOf({ keys, ends, devices, users }: VisitorDigest): KeyVisitors[] {
    const [deviceNumbers, userNumbers] = [this.#numbers.numbersOf(devices), this.#numbers.numbersOf(users)]
    return keys.map((key, index) => {
      const [begin, end] = [index === 0 ? 0 : ends[index - 1]!, ends[index]!]
      return { key, devices: deviceNumbers.subarray(begin, end), users: userNumbers.subarray(begin, end) }
    })
  }
}

function mergeVisitors(cached: readonly KeyVisitors[], added: readonly KeyVisitors[]): KeyVisitors[] {
  const keys = new Map(cached.map((each) => [JSON.stringify(each.key), each]))
  for (const { key, devices, users } of added) {
    const id = JSON.stringify(key)
    const existing = keys.get(id)
    keys.set(
      id,
      existing
        ? { key, devices: concatNumbers(existing.devices, devices), users: concatNumbers(existing.users, users) }
        : { key, devices, users },
    )
  }
  return [...keys.values()]
}
