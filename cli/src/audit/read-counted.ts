import { HopperError } from '@hopper/contracts'
import { readAhead, type CounterPartition, type Storage } from '@hopper/storage'
import type { CountedPartition } from './compare.ts'

const TRIES_MAX = 50

/**
 * Reads partitions, each at one point in time. Counters and watermark change in one step, so rows read between two
 * equal readings of the watermark belong to it. A partition that is being counted is read again.
 */
export async function readCounted(
  storage: Storage,
  lane: number,
  partitions: Iterable<CounterPartition>,
): Promise<CountedPartition[]> {
  const read: CountedPartition[] = []
  for await (const counted of readAhead(partitions, (partition) => readOne(storage, lane, partition)))
    read.push(counted)
  return read
}

async function readOne(
  { writer, reader }: Storage,
  lane: number,
  partition: CounterPartition,
): Promise<CountedPartition> {
  const watermark = async (): Promise<number> => (await writer.applied(lane, [partition]))[0]!
  let before = await watermark()
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const rows = await reader.counterPartition(lane, partition)
    // Nothing is counted before the first watermark, so the second reading is unnecessary.
    if (before === -1 && rows.length === 0) return { partition, applied: before, rows }
    const after = await watermark()
    if (before === after) return { partition, applied: before, rows }
    before = after
  }
  throw new HopperError(
    'HOP_STORE_UNAVAILABLE',
    `${partition.table} of lane ${lane} is counted faster than it can be read.`,
  )
}

/** The watermarks of the partitions that were read. All other partitions have counted nothing. */
export class Watermarks {
  readonly #applied: ReadonlyMap<string, number>
  /** the highest watermark, -1 when nothing is counted */
  readonly highest: number

  constructor(counted: readonly CountedPartition[]) {
    this.#applied = new Map(counted.map(({ partition, applied }) => [nameOf(partition), applied]))
    this.highest = counted.reduce((highest, { applied }) => Math.max(highest, applied), -1)
  }

  of(partition: CounterPartition): number {
    return this.#applied.get(nameOf(partition)) ?? -1
  }
}

function nameOf({ table, app, date }: CounterPartition): string {
  return `${table} ${app} ${date}`
}
