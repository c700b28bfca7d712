import type { Partition } from '@hopper/storage'
import { FAN_IN, FAN_IN_OVER } from './select-merge.ts'
import { isOver } from './stored-span.ts'

const PARTITIONS_MAX = 20_000
/** A date that is over is merged to its end when nothing has come for so long. */
const QUIET_MS = 600_000

interface Entry {
  readonly partition: Partition
  /** spans that were appended since they were last looked at */
  appended: number
  lastAppendAt: number
}

/** A partition whose spans should be looked at, and how many of a size are merged. */
export interface Due {
  readonly partition: Partition
  readonly fanIn: number
}

/**
 * Remembers which partitions of a lane have gained spans. What it forgets, by its bound or a restart, is found again by
 * `unmergedPartitions`.
 */
export class MergeQueue {
  readonly #entries = new Map<string, Entry>()

  /** A span was appended, now (ms). */
  appended(partition: Partition, now: number): void {
    const key = keyOf(partition)
    const entry = this.#entries.get(key)
    if (!entry) {
      if (this.#entries.size >= PARTITIONS_MAX) this.#entries.delete(this.#entries.keys().next().value!)
      this.#entries.set(key, { partition, appended: 1, lastAppendAt: now })
      return
    }
    entry.appended++
    entry.lastAppendAt = now
  }

  /** A partition was found that has something to merge. */
  found(partition: Partition): void {
    const key = keyOf(partition)
    if (!this.#entries.has(key) && this.#entries.size < PARTITIONS_MAX)
      this.#entries.set(key, { partition, appended: FAN_IN, lastAppendAt: 0 })
  }

  /** What to look at now; the same until `looked` is told of it. */
  next(now: number): Due | undefined {
    for (const { partition, appended, lastAppendAt } of this.#entries.values()) {
      const over = now - lastAppendAt >= QUIET_MS && isOver(partition.date, now)
      if (over || appended >= FAN_IN) return { partition, fanIn: over ? FAN_IN_OVER : FAN_IN }
    }
    return undefined
  }

  /** There was nothing more to merge. */
  looked({ partition, fanIn }: Due): void {
    const key = keyOf(partition)
    const entry = this.#entries.get(key)
    if (fanIn === FAN_IN_OVER) this.#entries.delete(key)
    else if (entry) entry.appended = 0
  }

  /** The merge failed: it is tried again when as many spans have come again, or after the quiet time. */
  failed({ partition }: Due, now: number): void {
    const entry = this.#entries.get(keyOf(partition))
    if (!entry) return
    entry.appended = 0
    entry.lastAppendAt = now
  }
}

function keyOf({ app, date }: Partition): string {
  return `${app}\0${date}`
}
