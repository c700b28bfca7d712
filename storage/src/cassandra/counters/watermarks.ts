import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import type { CounterPartition, Partition } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { queryFile, rowsOf } from '../client/statements.ts'

const READ_CONCURRENCY = 64
const PARTITIONS_MAX = 20_000

/**
 * The watermarks of the partitions of one lane, cached by its owner. Cassandra has no conditional counter update, so
 * the owner itself refuses a change that does not continue from the partition's watermark. After an unknown outcome it
 * discards the cache and reads again.
 */
export class Watermarks {
  readonly #client: Client
  readonly #lane: number
  readonly #known = new Map<string, number>()
  readonly #unsure = new Map<string, Partition>()
  #epoch: number | undefined

  constructor(client: Client, lane: number) {
    this.#client = client
    this.#lane = lane
  }

  /**
   * The dates whose counters may have changed more than their versions show: dates in doubt, and dates whose watermarks
   * were read, because a previous owner may have counted there without bumping the version.
   */
  get unsure(): Partition[] {
    return [...this.#unsure.values()]
  }

  doubt(partitions: readonly Partition[]): void {
    for (const { app, date } of partitions) remember(this.#unsure, `${app}\0${date}`, { app, date })
  }

  /** Removes partitions from the dates in doubt, after their versions were bumped. */
  settle(partitions: readonly Partition[]): void {
    for (const { app, date } of partitions) this.#unsure.delete(`${app}\0${date}`)
  }

  /** Sets the epoch of the owner. Watermarks that were cached in an earlier epoch may have changed since. */
  enter(epoch: number): void {
    if (this.#epoch !== epoch) this.forget()
    this.#epoch = epoch
  }

  /**
   * Reads watermarks; -1 if nothing has been counted yet. The column contains the position plus one, because a counter
   * begins at zero.
   */
  async read(partitions: readonly CounterPartition[]): Promise<number[]> {
    return mapConcurrent(partitions, READ_CONCURRENCY, async (partition) => {
      const rows = await rowsOf(this.#client, `${queryFile(partition.table)}.applied`, [
        partition.app,
        partition.date,
        this.#lane,
      ])
      const applied = Number((rows[0]?.get('applied') as bigint | null | undefined) ?? 0n) - 1
      remember(this.#known, keyOf(partition), applied)
      this.doubt([partition])
      return applied
    })
  }

  /** Throws unless every change continues from the watermark of its partition. */
  async check(changes: readonly (CounterPartition & { readonly from: number })[]): Promise<void> {
    const unknown = changes.filter((change) => !this.#known.has(keyOf(change)))
    const known = new Map(changes.map((change) => [keyOf(change), this.#known.get(keyOf(change))]))
    // A change may touch more partitions than the cache can hold.
    if (unknown.length > 0)
      (await this.read(unknown)).forEach((applied, index) => known.set(keyOf(unknown[index]!), applied))
    for (const change of changes) {
      const applied = known.get(keyOf(change))
      if (applied !== change.from) {
        throw new HopperError(
          'HOP_INTERNAL',
          `${change.table} ${change.date} is at position ${applied}, but the change continues from ${change.from}.`,
        )
      }
    }
  }

  advance(partition: CounterPartition, to: number): void {
    remember(this.#known, keyOf(partition), to)
  }

  forget(): void {
    this.#known.clear()
  }
}

/** Evicts the oldest entry if the map is full. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > PARTITIONS_MAX) map.delete(map.keys().next().value!)
}

function keyOf({ table, app, date }: CounterPartition): string {
  return `${table}\0${app}\0${date}`
}
