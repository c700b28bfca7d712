import { HopperError } from '@hopper/contracts'
import type { Client } from 'cassandra-driver'
import type { CounterPartition, Partition } from '../../ports/tables.ts'
import { mapConcurrent } from '../client/map-concurrent.ts'
import { queryFile, rowsOf } from '../client/statements.ts'

const READS_AT_ONCE = 64
const PARTITIONS_MAX = 20_000

/**
 * The watermarks of the partitions of one lane, as its owner knows them. Cassandra has no conditional counter update,
 * so the owner itself refuses a change that does not continue where the partition stands; after an unknown outcome it
 * forgets all and reads again.
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
   * The dates that may have counted more than the versions of their counters say: those in doubt, and those whose
   * watermarks were read, because whoever counted there before may not have come to renew the version.
   */
  get unsure(): Partition[] {
    return [...this.#unsure.values()]
  }

  doubt(partitions: readonly Partition[]): void {
    for (const { app, date } of partitions) remember(this.#unsure, `${app}\0${date}`, { app, date })
  }

  /** Their versions are renewed. */
  settle(partitions: readonly Partition[]): void {
    for (const { app, date } of partitions) this.#unsure.delete(`${app}\0${date}`)
  }

  /** Whose the lane is: what was known in another epoch may have changed since. */
  enter(epoch: number): void {
    if (this.#epoch !== epoch) this.forget()
    this.#epoch = epoch
  }

  /** -1 where nothing was counted yet. The column holds the position plus one, because a counter begins at zero. */
  async read(partitions: readonly CounterPartition[]): Promise<number[]> {
    return mapConcurrent(partitions, READS_AT_ONCE, async (partition) => {
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

  /** Throws unless every change continues where its partition stands. */
  async check(changes: readonly (CounterPartition & { readonly from: number })[]): Promise<void> {
    const unknown = changes.filter((change) => !this.#known.has(keyOf(change)))
    const known = new Map(changes.map((change) => [keyOf(change), this.#known.get(keyOf(change))]))
    // More may be asked than is remembered.
    if (unknown.length > 0) (await this.read(unknown)).forEach((applied, at) => known.set(keyOf(unknown[at]!), applied))
    for (const change of changes) {
      const applied = known.get(keyOf(change))
      if (applied !== change.from) {
        throw new HopperError(
          'HOP_INTERNAL',
          `${change.table} ${change.date} stands at ${applied}, the change continues from ${change.from}.`,
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

/** The one remembered longest ago makes room. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  map.set(key, value)
  if (map.size > PARTITIONS_MAX) map.delete(map.keys().next().value!)
}

function keyOf({ table, app, date }: CounterPartition): string {
  return `${table}\0${app}\0${date}`
}
