import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import type { CounterPartition } from '../ports/tables.ts'
import { concurrently } from './concurrently.ts'
import { queryFile, rowsOf } from './statements.ts'

const READS_AT_ONCE = 64
const PARTITIONS_MAX = 50_000

/**
 * The watermarks of the partitions of one lane, as its owner knows them. Cassandra has no conditional counter update, so the owner itself refuses a
 * change that does not continue where the partition stands; after an unknown outcome it forgets all and reads again.
 */
export class Watermarks {
  readonly #client: Client
  readonly #lane: number
  readonly #known = new Map<string, number>()

  constructor(client: Client, lane: number) {
    this.#client = client
    this.#lane = lane
  }

  /** -1 where nothing was counted yet. The column holds the position plus one, because a counter begins at zero. */
  async read(partitions: readonly CounterPartition[]): Promise<number[]> {
    return concurrently(partitions, READS_AT_ONCE, async (partition) => {
      const rows = await rowsOf(this.#client, `${queryFile(partition.table)}.applied`, [partition.app, partition.date, this.#lane])
      const applied = Number((rows[0]?.get('applied') as bigint | null | undefined) ?? 0n) - 1
      this.#remember(partition, applied)
      return applied
    })
  }

  /** Throws unless every change continues where its partition stands. */
  async check(changes: readonly (CounterPartition & { readonly from: number })[]): Promise<void> {
    const unknown = changes.filter((change) => !this.#known.has(keyOf(change)))
    if (unknown.length > 0) await this.read(unknown)
    for (const change of changes) {
      const applied = this.#known.get(keyOf(change))
      if (applied !== change.from) {
        throw new HopperError('HOP_INTERNAL', `${change.table} ${change.date} stands at ${applied}, the change continues from ${change.from}.`)
      }
    }
  }

  advance(partition: CounterPartition, to: number): void {
    this.#remember(partition, to)
  }

  forget(): void {
    this.#known.clear()
  }

  #remember(partition: CounterPartition, applied: number): void {
    const key = keyOf(partition)
    this.#known.delete(key)
    this.#known.set(key, applied)
    if (this.#known.size > PARTITIONS_MAX) this.#known.delete(this.#known.keys().next().value!)
  }
}

function keyOf({ table, app, date }: CounterPartition): string {
  return `${table}\0${app}\0${date}`
}
