import type { Client } from 'cassandra-driver'
import { counterTables, type CounterTableName, type Key } from '../../ports/table-definitions.ts'
import type { CounterPartitionRow, CounterRow } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { counterRows, sumOfLanes } from './counter-rows.ts'
import { isRemovable } from './key-generations.ts'
import { VersionedCache } from '../client/versioned-cache.ts'
import { queryFile, rowsOf } from '../client/statements.ts'
import { versionKey, versionsOf } from '../visitors/versions.ts'

const DATE_CONCURRENCY = 4
const LANE_CONCURRENCY = 16
/**
 * Cached entries are re-read at this interval even if their version has not changed, each date at another time. After a
 * write without a response, replicas may differ in a partition until they are repaired.
 */
const REFRESH_MS = 600_000
const DAY_MS = 86_400_000
const REFRESH_PHASES = 30
/** Estimated sizes of a cached partition, a row of it, and a character of its key. */
const PARTITION_BYTES = 500
const ROW_BYTES = 250
const CHARACTER_BYTES = 2

interface Wanted {
  readonly table: CounterTableName
  readonly app: string
  readonly prefix: Key
}

interface WantedDate extends Wanted {
  readonly date: string
  /** a time before the versions were read */
  readonly asOf: number
}

/**
 * Caches rows of the counter tables: those of a lane and date, and those of a date summed over the lanes. Rows are read
 * again when the version of their counters has changed. A month thus takes two small reads while nothing changes, plus
 * one partition for each lane that has counted.
 */
export class CounterCache {
  readonly #client: Client
  readonly #lanes: readonly number[]
  readonly #cache: VersionedCache<string, readonly CounterPartitionRow[]>

  constructor(client: Client, lanes: number, bytesMax: number) {
    this.#client = client
    this.#lanes = Array.from({ length: lanes }, (_, lane) => lane)
    this.#cache = new VersionedCache(bytesMax, bytesOf)
  }

  /** The rows over ascending dates, sorted by date and key. */
  async rows(wanted: Wanted, dates: readonly string[]): Promise<readonly CounterRow[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, 'counters', wanted.app, dates)
    const found = await mapConcurrent(dates, DATE_CONCURRENCY, async (date) => {
      const era = eraOf(date)
      const rows = await this.#date(
        { ...wanted, date, asOf },
        this.#lanes.map((lane) => `${era} ${versions.get(versionKey(date, lane))}`),
      )
      // Leaves out rows of zeros: a deleted counter cannot be counted again, so rows may stay after all their events
      // were removed.
      return rows.filter(hasCounted).map(({ key, counters }) => ({ date, key, counters }))
    })
    return found.flat()
  }

  #date(wanted: WantedDate, versions: readonly string[]): Promise<readonly CounterPartitionRow[]> {
    return this.#cache.get(nameOf(wanted), versions.join(), wanted.asOf, async () =>
      sumOfLanes(
        await mapConcurrent(this.#lanes, LANE_CONCURRENCY, (lane) => this.#lane(wanted, lane, versions[lane]!)),
      ),
    )
  }

  #lane(wanted: WantedDate, lane: number, version: string): Promise<readonly CounterPartitionRow[]> {
    const { table, app, prefix, date, asOf } = wanted
    // The last text of a key has several forms, see `KeyGenerations`.
    const isWhole = isRemovable(table) && prefix.length === Object.keys(counterTables[table].key).length
    const read = isWhole ? prefix.slice(0, -1) : prefix
    const query = `${queryFile(table)}.read${read.length === 0 ? '' : read.length}`
    return this.#cache.get(nameOf(wanted, lane), version, asOf, async () => {
      const rows = counterRows(table, await rowsOf(this.#client, query, [app, date, lane, ...read]))
      return isWhole ? rows.filter(({ key }) => key.at(-1) === prefix.at(-1)) : rows
    })
  }
}

function hasCounted({ counters }: CounterPartitionRow): boolean {
  return counters.some((value) => value !== 0)
}

function nameOf({ table, app, prefix, date }: WantedDate, lane?: number): string {
  return JSON.stringify([table, app, prefix, date, lane])
}

function eraOf(date: string): number {
  const phase = (Date.parse(date) / DAY_MS / REFRESH_PHASES) * REFRESH_MS
  return Math.floor((performance.now() + phase) / REFRESH_MS)
}

function bytesOf(rows: readonly CounterPartitionRow[]): number {
  const characters = rows.reduce(
    (sum, { key }) => key.reduce<number>((length, value) => length + String(value).length, sum),
    0,
  )
  return PARTITION_BYTES + rows.length * ROW_BYTES + characters * CHARACTER_BYTES
}
