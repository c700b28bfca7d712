import type { Client } from 'cassandra-driver'
import type { CounterTableName, Key } from '../../ports/table-definitions.ts'
import type { CounterPartitionRow, CounterRow } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { counterRows, sumOfLanes } from './counter-rows.ts'
import { VersionedCache } from '../client/versioned-cache.ts'
import { queryFile, rowsOf } from '../client/statements.ts'
import { versionKey, versionsOf } from '../visitors/versions.ts'

const DATES_AT_ONCE = 4
const LANES_AT_ONCE = 16
/**
 * What is kept is read anew so often whatever its version, each date at another moment: after a write without an answer
 * a replica may have less of a partition than another, until they have told each other.
 */
const ANEW_MS = 600_000
const DAY_MS = 86_400_000
const DATES_ANEW = 30
/** So many bytes stand for a partition, a row of it, and a character of its key in the estimate of what is kept. */
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
  /** a moment before the versions were read */
  readonly asOf: number
}

/**
 * The rows of the counter tables as they were read last: of a lane and date, and of a date summed over the lanes. They
 * are read again when the version of their counters is another, so a month is two small reads while nothing changes,
 * and one partition more for each lane that has counted.
 */
export class CounterCache {
  readonly #client: Client
  readonly #lanes: readonly number[]
  readonly #kept: VersionedCache<string, readonly CounterPartitionRow[]>

  constructor(client: Client, lanes: number, bytesMax: number) {
    this.#client = client
    this.#lanes = Array.from({ length: lanes }, (_, lane) => lane)
    this.#kept = new VersionedCache(bytesMax, bytesOf)
  }

  /** Over ascending dates, sorted by date and key. */
  async rows(wanted: Wanted, dates: readonly string[]): Promise<readonly CounterRow[]> {
    const asOf = performance.now()
    const versions = await versionsOf(this.#client, 'counters', wanted.app, dates)
    const found = await mapConcurrent(dates, DATES_AT_ONCE, async (date) => {
      const era = eraOf(date)
      const rows = await this.#date(
        { ...wanted, date, asOf },
        this.#lanes.map((lane) => `${era} ${versions.get(versionKey(date, lane))}`),
      )
      return rows.map(({ key, counters }) => ({ date, key, counters }))
    })
    return found.flat()
  }

  #date(wanted: WantedDate, versions: readonly string[]): Promise<readonly CounterPartitionRow[]> {
    return this.#kept.get(nameOf(wanted), versions.join(), wanted.asOf, async () =>
      sumOfLanes(await mapConcurrent(this.#lanes, LANES_AT_ONCE, (lane) => this.#lane(wanted, lane, versions[lane]!))),
    )
  }

  #lane(wanted: WantedDate, lane: number, version: string): Promise<readonly CounterPartitionRow[]> {
    const { table, app, prefix, date, asOf } = wanted
    const query = `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`
    return this.#kept.get(nameOf(wanted, lane), version, asOf, async () =>
      counterRows(table, await rowsOf(this.#client, query, [app, date, lane, ...prefix])),
    )
  }
}

function nameOf({ table, app, prefix, date }: WantedDate, lane?: number): string {
  return JSON.stringify([table, app, prefix, date, lane])
}

function eraOf(date: string): number {
  const phase = (Date.parse(date) / DAY_MS / DATES_ANEW) * ANEW_MS
  return Math.floor((performance.now() + phase) / ANEW_MS)
}

function bytesOf(rows: readonly CounterPartitionRow[]): number {
  const characters = rows.reduce((sum, { key }) => key.reduce<number>((of, value) => of + String(value).length, sum), 0)
  return PARTITION_BYTES + rows.length * ROW_BYTES + characters * CHARACTER_BYTES
}
