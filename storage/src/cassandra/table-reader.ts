import type { Client } from 'cassandra-driver'
import type { CounterTableName, Key } from '../ports/table-definitions.ts'
import type {
  CounterPartition,
  CounterPartitionRow,
  CounterRow,
  DeadLetter,
  FirstSeen,
  Identity,
  Partition,
  Session,
  TableReader,
  UniquesQuery,
  UniquesRow,
  VisitorChange,
  VisitorPartition,
} from '../ports/tables.ts'
import { mapConcurrent } from './client/map-concurrent.ts'
import { counterRows } from './counters/counter-rows.ts'
import { CounterCache } from './counters/counter-cache.ts'
import { identitiesOf } from './identities-of.ts'
import { SeenIds } from './seen/seen-ids.ts'
import { readSession } from './sessions/sessions.ts'
import { pagesOf, queryFile, rowsOf } from './client/statements.ts'
import { Uniques } from './uniques/uniques.ts'
import { versionsOf } from './visitors/versions.ts'
import { readVisitorRows } from './visitors/visitor-rows.ts'

const READ_CONCURRENCY = 64
/** small, since a value may have a megabyte */
const LETTERS_PER_PAGE = 8
const LETTERS_BYTES_MAX = 8_000_000
/** share of the cache for counters; the rest is for visitors */
const COUNTERS_SHARE = 1 / 8

/** Reads the tables by concurrent queries of one partition each, (dates x lanes) of them. */
export class CassandraTableReader implements TableReader {
  readonly #client: Client
  readonly #lanes: number
  readonly #counters: CounterCache
  readonly #uniques: Uniques
  readonly #seen: SeenIds

  constructor(client: Client, lanes: number, cacheBytesMax: number) {
    this.#client = client
    this.#lanes = lanes
    this.#seen = new SeenIds(client)
    this.#counters = new CounterCache(client, lanes, cacheBytesMax * COUNTERS_SHARE)
    this.#uniques = new Uniques(client, lanes, cacheBytesMax * (1 - COUNTERS_SHARE))
  }

  async versions(app: string, dates: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const versions = new Map<string, string>()
    for (const [key, version] of await versionsOf(this.#client, 'counters', app, dates)) {
      const date = key.slice(0, key.indexOf(' '))
      versions.set(date, `${versions.get(date) ?? ''}${key.slice(date.length)}:${version}`)
    }
    return versions
  }

  counters(
    table: CounterTableName,
    app: string,
    dates: readonly string[],
    prefix: Key = [],
  ): Promise<readonly CounterRow[]> {
    return this.#counters.rows({ table, app, prefix }, dates)
  }

  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    return this.#uniques.count(query)
  }

  seen(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, FirstSeen>> {
    return this.#seen.find(lane, partition, eventIds)
  }

  session(app: string, sessionId: string): Promise<Session | undefined> {
    return readSession(this.#client, app, sessionId)
  }

  identitiesOf(app: string, device: string): Promise<readonly Identity[]> {
    return identitiesOf(this.#client, app, device)
  }

  async devicesOf(app: string, user: string, limit: number): Promise<readonly string[]> {
    const rows = await rowsOf(this.#client, 'identity.devices', [app, user, limit])
    return rows.map((row) => row.get('device') as string)
  }

  async deadLetters(): Promise<number> {
    const counts = await mapConcurrent(this.#laneNumbers(), READ_CONCURRENCY, (lane) =>
      rowsOf(this.#client, 'dead-letters.count', [lane]),
    )
    return counts.reduce((sum, [row]) => sum + Number(row?.get('count') ?? 0), 0)
  }

  async deadLettersFrom(lane: number, from: number, limit: number): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    let bytes = 0
    const options = { fetchSize: LETTERS_PER_PAGE }
    for await (const rows of pagesOf(this.#client, 'dead-letters.read', [lane, BigInt(from), limit], options)) {
      for (const row of rows) {
        const value = row.get('value') as Uint8Array
        bytes += value.length
        if (letters.length > 0 && bytes > LETTERS_BYTES_MAX) return letters
        letters.push({
          position: Number(row.get('position')),
          reason: row.get('reason') as DeadLetter['reason'],
          detail: row.get('detail') as string,
          value,
        })
      }
    }
    return letters
  }

  async counterPartition(
    lane: number,
    { table, app, date }: CounterPartition,
  ): Promise<readonly CounterPartitionRow[]> {
    return counterRows(table, await rowsOf(this.#client, `${queryFile(table)}.read`, [app, date, lane]))
  }

  visitorPartition(lane: number, partition: VisitorPartition): Promise<VisitorChange['rows']> {
    return readVisitorRows(this.#client, { ...partition, lane, prefix: [] })
  }

  #laneNumbers(): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => lane)
  }
}
