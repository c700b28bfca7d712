import type { Partition } from '@hopper/storage'
import { FAN_IN, FAN_IN_PAST } from './select-merge.ts'
import { hasEnded } from './stored-span.ts'

const PARTITIONS_MAX = 20_000
/** Once no span was appended to a past date for this long, its last small spans are merged too. */
const QUIET_MS = 600_000

interface Entry {
  readonly partition: Partition
  /** number of spans appended since the last check */
  appended: number
  lastAppendAt: number
}

/** Partition whose spans to check, and how many spans of one size make a merge. */
export interface DueCheck {
  readonly partition: Partition
  readonly fanIn: number
}

/**
 * Remembers which partitions of a lane have gained spans. Partitions that it forgets, because of its bound or a
 * restart, are found again by `unmergedPartitions`.
 */
export class MergeQueue {
  readonly #entries = new Map<string, Entry>()

  /** Records that a span was appended at `now` (ms since the epoch). */
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

  /** Adds a partition that was found to have spans to merge. */
  add(partition: Partition): void {
    const key = keyOf(partition)
    if (!this.#entries.has(key) && this.#entries.size < PARTITIONS_MAX)
      this.#entries.set(key, { partition, appended: FAN_IN, lastAppendAt: 0 })
  }

  /** Returns the partition to check next; the same one until `checked` or `failed` is called for it. */
  next(now: number): DueCheck | undefined {
    for (const { partition, appended, lastAppendAt } of this.#entries.values()) {
      const isFinal = now - lastAppendAt >= QUIET_MS && hasEnded(partition.date, now)
      if (isFinal || appended >= FAN_IN) return { partition, fanIn: isFinal ? FAN_IN_PAST : FAN_IN }
    }
    return undefined
  }

  /** Records that nothing was left to merge. */
  checked({ partition, fanIn }: DueCheck): void {
    const key = keyOf(partition)
    const entry = this.#entries.get(key)
    if (fanIn === FAN_IN_PAST) this.#entries.delete(key)
    else if (entry) entry.appended = 0
  }

  /** Records that the merge failed: it is retried after `FAN_IN` further spans, or after the quiet time. */
  failed({ partition }: DueCheck, now: number): void {
    const entry = this.#entries.get(keyOf(partition))
    if (!entry) return
    entry.appended = 0
    entry.lastAppendAt = now
  }
}

function keyOf({ app, date }: Partition): string {
  return `${app}\0${date}`
}
