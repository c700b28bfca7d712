import { HopperError } from '@hopper/contracts'
import type { CounterPartition, Storage } from '@hopper/storage'
import type { CountedPartition } from './compare.ts'

const TRIES_MAX = 50

/**
 * Partitions as they stand at one moment each: counters and watermark change in one step, so rows between two equal readings of the watermark belong
 * to it. A partition that is being counted is read again.
 */
export async function readCounted({ writer, reader }: Storage, lane: number, partitions: readonly CounterPartition[]): Promise<CountedPartition[]> {
  let waiting = partitions
  const read: CountedPartition[] = []
  for (let tries = 0; waiting.length > 0; tries++) {
    if (tries === TRIES_MAX) {
      throw new HopperError('HOP_STORE_UNAVAILABLE', `${waiting[0]!.table} of lane ${lane} is counted faster than it can be read.`)
    }
    const before = await writer.applied(lane, waiting)
    const rows = await Promise.all(waiting.map((partition) => reader.counterPartition(lane, partition)))
    const after = await writer.applied(lane, waiting)
    waiting.forEach((partition, at) => {
      if (before[at] === after[at]) read.push({ partition, applied: before[at]!, rows: rows[at]! })
    })
    waiting = waiting.filter((_, at) => before[at] !== after[at])
  }
  return read
}

/** The watermarks of partitions that were read; others have counted nothing. */
export class Watermarks {
  readonly #applied: ReadonlyMap<string, number>
  /** the highest of them, -1 when nothing is counted */
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
