import type { Client, types } from 'cassandra-driver'
import { visitorTables, type Key, type KeyValue, type VisitorTableName } from '../ports/table-definitions.ts'
import { queryFile, rowsOf } from './statements.ts'

/** So many bytes stand for a name, a row and a partition in the estimate of what is kept. */
const NAME_BYTES = 160
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

interface Kept<T> {
  readonly version: bigint | undefined
  readonly value: Promise<T>
}

/** What a partition is, and which version of it is wanted. */
export interface WantedPartition {
  readonly table: VisitorTableName
  readonly date: string
  readonly lane: number
  readonly prefix: Key
  readonly version: bigint | undefined
}

/**
 * The visitors of an app as they were read last, each name as a number from 1 on, so that distinct visitors are counted without their names. A partition
 * is read again when its version is another.
 */
export class KeptVisitors {
  readonly #client: Client
  readonly #app: string
  readonly #numbers = new Map<string, number>()
  readonly #partitions = new Map<string, Kept<VisitorRuns>>()
  readonly #firstUsers = new Map<number, Kept<readonly (readonly [device: number, user: number])[]>>()
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
    return this.#numbers.size * NAME_BYTES + this.#rows * ROW_BYTES + this.#rowsOf.size * PARTITION_BYTES
  }

  partition(wanted: WantedPartition): Promise<VisitorRuns> {
    const { table, date, lane, prefix, version } = wanted
    const key = JSON.stringify([table, date, lane, prefix])
    return kept(this.#partitions, key, version, async () => {
      const read = await this.#readPartition(wanted)
      this.#note(key, read.devices.length)
      return read
    })
  }

  /** As whom each identified device of a lane was identified first. */
  firstUsers(lane: number, version: bigint | undefined): Promise<readonly (readonly [device: number, user: number])[]> {
    return kept(this.#firstUsers, lane, version, async () => {
      const rows = await rowsOf(this.#client, 'identity.firstUsers', [this.#app, lane])
      this.#note(`first users ${lane}`, rows.length)
      return rows.map((row) => [this.#device(row), this.#user(row)] as const)
    })
  }

  async #readPartition({ table, date, lane, prefix }: WantedPartition): Promise<VisitorRuns> {
    const columns = Object.keys(visitorTables[table].key)
    const query = `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`
    const rows = await rowsOf(this.#client, query, [this.#app, date, lane, ...prefix])
    const [devices, users] = [new Uint32Array(rows.length), new Uint32Array(rows.length)]
    const runs: { key: Key; begin: number; end: number }[] = []
    rows.forEach((row, at) => {
      devices[at] = this.#device(row)
      users[at] = this.#user(row)
      const last = runs.at(-1)
      if (last && columns.every((column, place) => last.key[place] === row.get(column))) last.end = at + 1
      else runs.push({ key: columns.map((column) => row.get(column) as KeyValue), begin: at, end: at + 1 })
    })
    return { runs, devices, users }
  }

  /** So many rows stand in the place of those that were kept under this key. */
  #note(key: string, rows: number): void {
    this.#rows += rows - (this.#rowsOf.get(key) ?? 0)
    this.#rowsOf.set(key, rows)
  }

  #device(row: types.Row): number {
    return this.#number(`d:${row.get('device') as string}`)
  }

  #user(row: types.Row): number {
    const user = row.get('user') as string
    return user === '' ? 0 : this.#number(`u:${user}`)
  }

  #number(name: string): number {
    let number = this.#numbers.get(name)
    if (number === undefined) this.#numbers.set(name, (number = this.#numbers.size + 1))
    return number
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
