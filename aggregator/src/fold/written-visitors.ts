import type { VisitorChange } from '@hopper/storage'
import { partitionKey, rowKey } from './row-key.ts'
import { visitorName, type VisitorRow } from './visitor-rows.ts'

/** Names of the visitors of one partition, by `rowKey` of their rows. */
type Names = Map<string, Set<string>>

/** Partitions are bounded too: each takes much more memory than a row. */
const PARTITIONS_MAX = 2_000

/**
 * Remembers rows of visitor tables that the owner of a lane has written: most visitors return within the hour, and
 * their rows do not change.
 */
export class WrittenVisitors {
  readonly #max: number
  readonly #partitions = new Map<string, Names>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Returns the changes without the rows that are already written. */
  unwritten(changes: readonly VisitorChange[]): VisitorChange[] {
    return changes.flatMap((change) => {
      const names = this.#partitions.get(partitionOf(change))
      if (!names) return [change]
      const rows = change.rows.filter(byKey((key, visitor) => !names.get(key)?.has(visitor)))
      return rows.length === 0 ? [] : [{ ...change, rows }]
    })
  }

  /** Remembers rows that the tables now contain. */
  add(changes: readonly VisitorChange[]): void {
    for (const change of changes) {
      const rows = change.rows.slice(0, this.#max)
      if (this.#size + rows.length > this.#max || this.#partitions.size >= PARTITIONS_MAX) this.clear()
      const partition = partitionOf(change)
      const names = this.#partitions.get(partition) ?? (new Map() as Names)
      this.#partitions.set(partition, names)
      rows.forEach(byKey((key, visitor) => this.#put(names, key, visitor)))
    }
  }

  #put(names: Names, key: string, visitor: string): void {
    const visitors = names.get(key) ?? new Set()
    names.set(key, visitors)
    this.#size -= visitors.size
    visitors.add(visitor)
    this.#size += visitors.size
  }

  clear(): void {
    this.#partitions.clear()
    this.#size = 0
  }
}

/**
 * Calls `visit` with the key and the visitor of a row as strings. The string of a key is built once for adjacent rows
 * that share it.
 */
function byKey<T>(visit: (key: string, visitor: string) => T): (row: VisitorRow) => T {
  let last: VisitorRow['key'] | undefined
  let text = ''
  return ({ key, visitor }) => {
    if (key !== last) text = rowKey(key)
    last = key
    return visit(text, visitorName(visitor))
  }
}

function partitionOf({ table, app, date }: VisitorChange): string {
  return partitionKey(table, app, date)
}
