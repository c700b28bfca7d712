import type { Client } from 'cassandra-driver'
import type { Key } from '../ports/table-definitions.ts'
import { writeNameHash } from './name-hash.ts'
import { NameNumbers } from './name-numbers.ts'
import { rowsOf } from './statements.ts'
import { readVisitors, type WantedVisitors } from './visitor-digests.ts'

/** So many bytes stand for a row and a partition in the estimate of what is kept. */
const ROW_BYTES = 8
const PARTITION_BYTES = 500

/** Rows of a partition that have one key: `rows` from `begin` up to `end`. */
export interface KeyRun {
  readonly key: Key
  readonly begin: number
  readonly end: number
}

/** The visitors of one partition, by number; `user` is 0 in an anonymous row. */
export interface VisitorRuns {
  readonly runs: readonly KeyRun[]
  readonly devices: Uint32Array
  readonly users: Uint32Array
}

/** As whom a device was identified first, by number. */
export type FirstUser = readonly [device: number, user: number]

interface Kept<T> {
  readonly version: bigint | undefined
  readonly value: Promise<T>
}

/**
 * The visitors of an app as they were read last, each name as a number from 1 on, so that distinct visitors are counted without their names. A partition
 * is read again when its version is another.
 */
export class KeptVisitors {
  readonly #client: Client
  readonly #app: string
  readonly #numbers = new NameNumbers()
  readonly #partitions = new Map<string, Kept<VisitorRuns>>()
  readonly #firstUsers = new Map<string, Kept<readonly FirstUser[]>>()
  readonly #rowsOf = new Map<string, number>()
  #rows = 0

  constructor(client: Client, app: string) {
    this.#client = client
    this.#app = app
  }

  /** how many names there are: every number is at most this */
  get names(): number {
    return this.#numbers.size
  }

  /** about how much memory this takes */
  get bytes(): number {
    return this.#numbers.bytes + this.#rows * ROW_BYTES + this.#rowsOf.size * PARTITION_BYTES
  }

  partition(wanted: WantedVisitors): Promise<VisitorRuns> {
    const { table, date, lane, prefix, version } = wanted
    const key = JSON.stringify([table, date, lane, prefix])
    return kept(this.#partitions, key, version, async () => {
      const { keys, ends, devices, users } = await readVisitors(this.#client, this.#app, wanted)
      this.#note(key, devices.length / 2)
      const runs = keys.map((each, at) => ({ key: each, begin: at === 0 ? 0 : ends[at - 1]!, end: ends[at]! }))
      return { runs, devices: this.#numbered(devices), users: this.#numbered(users) }
    })
  }

  firstUsers(lane: number, version: bigint | undefined): Promise<readonly FirstUser[]> {
    const key = `first users ${lane}`
    return kept(this.#firstUsers, key, version, async () => {
      const rows = await rowsOf(this.#client, 'identity.firstUsers', [this.#app, lane])
      this.#note(key, rows.length)
      return rows.map((row) => [this.#number(`d:${row.get('device') as string}`), this.#number(`u:${row.get('user') as string}`)] as const)
    })
  }

  /** So many rows stand in the place of those that were kept under this key. */
  #note(key: string, rows: number): void {
    this.#rows += rows - (this.#rowsOf.get(key) ?? 0)
    this.#rowsOf.set(key, rows)
  }

  #number(name: string): number {
    const halves = new Uint32Array(2)
    writeNameHash(name, halves, 0)
    return this.#numbers.numberOf(halves[0]!, halves[1]!)
  }

  /** The numbers of hashes; 0 for nobody, whose halves are both 0. */
  #numbered(halves: Uint32Array): Uint32Array {
    const numbers = new Uint32Array(halves.length / 2)
    for (let at = 0; at < numbers.length; at++) {
      const low = halves[2 * at + 1]!
      if (low !== 0) numbers[at] = this.#numbers.numberOf(halves[2 * at]!, low)
    }
    return numbers
  }
}

/** What is kept under a key in this version, or read now; those who ask meanwhile wait for the same. What could not be read is not kept. */
function kept<K, T>(map: Map<K, Kept<T>>, key: K, version: bigint | undefined, read: () => Promise<T>): Promise<T> {
  const found = map.get(key)
  if (found && found.version === version) return found.value
  const entry = { version, value: read() }
  map.set(key, entry)
  entry.value.catch(() => map.get(key) === entry && map.delete(key))
  return entry.value
}
