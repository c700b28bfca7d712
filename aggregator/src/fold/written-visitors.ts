import type { VisitorChange } from '@hopper/storage'
import { partitionKey, rowKey } from './row-key.ts'
import { visitorName, type VisitorRow } from './visitor-rows.ts'

/** The names of the visitors of one partition, by the text of their row's key. */
type Names = Map<string, Set<string>>

/** A partition takes much more than a row of it. */
const PARTITIONS_MAX = 2_000

/**
 * Rows of visitors that the owner of a lane has written: most visitors come again within the hour, and their rows stay
 * as they are.
 */
export class WrittenVisitors {
  readonly #max: number
  readonly #partitions = new Map<string, Names>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** The changes without the rows that are written. */
  unwritten(changes: readonly VisitorChange[]): VisitorChange[] {
    return changes.flatMap((change) => {
      const names = this.#partitions.get(partitionOf(change))
      if (!names) return [change]
      const rows = change.rows.filter(byKey((key, visitor) => !names.get(key)?.has(visitor)))
      return rows.length === 0 ? [] : [{ ...change, rows }]
    })
  }

  /** Remembers rows that the tables hold now. */
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
    const own = names.get(key) ?? new Set()
    names.set(key, own)
    this.#size -= own.size
    own.add(visitor)
    this.#size += own.size
  }

  clear(): void {
    this.#partitions.clear()
    this.#size = 0
  }
}

/** Hands over the texts of each row; of rows side by side that share their key, that of the key is made once. */
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
