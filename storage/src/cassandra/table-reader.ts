import type { Client, types } from 'cassandra-driver'
import { counterTables, type CounterTableName, type Key, type KeyValue } from '../ports/table-definitions.ts'
import type { CounterPartition, CounterPartitionRow, CounterRow, FirstSeen, Partition, TableReader, UniquesQuery, UniquesRow, VisitorChange, VisitorPartition } from '../ports/tables.ts'
import { compareKeys } from './compare-keys.ts'
import { concurrently } from './concurrently.ts'
import { SeenIds } from './seen-ids.ts'
import { queryFile, rowsOf } from './statements.ts'
import { Uniques } from './uniques.ts'
import { readVisitorRows } from './visitor-rows.ts'

const READS_AT_ONCE = 64

/** Reads the tables by concurrent queries of one partition each, (dates x lanes) of them. */
export class CassandraTableReader implements TableReader {
  readonly #client: Client
  readonly #lanes: number
  readonly #uniques: Uniques
  readonly #seen: SeenIds

  constructor(client: Client, lanes: number, keptBytesMax: number) {
    this.#client = client
    this.#lanes = lanes
    this.#seen = new SeenIds(client)
    this.#uniques = new Uniques(client, lanes, keptBytesMax)
  }

  async counters(table: CounterTableName, app: string, dates: readonly string[], prefix: Key = []): Promise<readonly CounterRow[]> {
    const sums = new Map<string, { date: string; key: Key; counters: number[] }>()
    await this.#eachPartition(table, app, dates, prefix, (date, row) => {
      const found = counterRow(table, row)
      if (!found) return
      const { key, counters } = found
      const id = JSON.stringify([date, ...key])
      const sum = sums.get(id)
      if (sum) counters.forEach((value, at) => (sum.counters[at]! += value))
      else sums.set(id, { date, key, counters })
    })
    return [...sums.values()].sort((a, b) => compareKeys([a.date, ...a.key], [b.date, ...b.key]))
  }

  uniques(query: UniquesQuery): Promise<readonly UniquesRow[]> {
    return this.#uniques.count(query)
  }

  seen(lane: number, partition: Partition, eventIds: readonly string[]): Promise<ReadonlyMap<string, FirstSeen>> {
    return this.#seen.find(lane, partition, eventIds)
  }

  async deadLetters(): Promise<number> {
    const counts = await concurrently(this.#laneNumbers(), READS_AT_ONCE, (lane) => rowsOf(this.#client, 'dead-letters.count', [lane]))
    return counts.reduce((sum, [row]) => sum + Number(row?.get('count') ?? 0), 0)
  }

  async counterPartition(lane: number, { table, app, date }: CounterPartition): Promise<readonly CounterPartitionRow[]> {
    const rows = await rowsOf(this.#client, `${queryFile(table)}.read`, [app, date, lane])
    return rows.flatMap((row) => counterRow(table, row) ?? [])
  }

  visitorPartition(lane: number, partition: VisitorPartition): Promise<VisitorChange['rows']> {
    return readVisitorRows(this.#client, { ...partition, lane, prefix: [] })
  }

  async #eachPartition(table: CounterTableName, app: string, dates: readonly string[], prefix: Key, each: (date: string, row: types.Row) => void): Promise<void> {
    const partitions = dates.flatMap((date) => this.#laneNumbers().map((lane) => ({ date, lane })))
    const query = `${queryFile(table)}.read${prefix.length === 0 ? '' : prefix.length}`
    await concurrently(partitions, READS_AT_ONCE, async ({ date, lane }) => {
      for (const row of await rowsOf(this.#client, query, [app, date, lane, ...prefix])) each(date, row)
    })
  }

  #laneNumbers(): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => lane)
  }
}

/** Undefined for a row that only has the static watermark: it has no key and is no row of ours. */
function counterRow(table: CounterTableName, row: types.Row): { key: Key; counters: number[] } | undefined {
  const key = Object.keys(counterTables[table].key).map((column) => row.get(column) as KeyValue)
  if (key.some((value) => value === null)) return undefined
  return { key, counters: counterTables[table].counters.map((name) => Number((row.get(name) as bigint | null) ?? 0n)) }
}
