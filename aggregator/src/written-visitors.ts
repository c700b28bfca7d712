import type { VisitorChange } from '@hopper/storage'
import { partitionKey } from './row-key.ts'
import { visitorRowKey } from './visitor-rows.ts'

/** Rows of visitors that the owner of a lane has written: most visitors come again within the hour, and their rows stay as they are. */
export class WrittenVisitors {
  readonly #max: number
  readonly #partitions = new Map<string, Set<string>>()
  /** the texts of the rows of changes that `unwritten` has made */
  readonly #texts = new WeakMap<VisitorChange, readonly string[]>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  /** The changes without the rows that are written. */
  unwritten(changes: readonly VisitorChange[]): VisitorChange[] {
    return changes.flatMap((change) => {
      const written = this.#partitions.get(partitionOf(change))
      const texts: string[] = []
      const rows = change.rows.filter((row) => {
        const text = visitorRowKey(row)
        if (written?.has(text)) return false
        texts.push(text)
        return true
      })
      if (rows.length === 0) return []
      const left = { ...change, rows }
      this.#texts.set(left, texts)
      return [left]
    })
  }

  /** Remembers rows that the tables hold now. */
  add(changes: readonly VisitorChange[]): void {
    for (const change of changes) {
      const texts = (this.#texts.get(change) ?? change.rows.map(visitorRowKey)).slice(0, this.#max)
      if (this.#size + texts.length > this.#max) this.#clear()
      const key = partitionOf(change)
      const written = this.#partitions.get(key) ?? new Set()
      this.#partitions.set(key, written)
      this.#size -= written.size
      for (const text of texts) written.add(text)
      this.#size += written.size
    }
  }

  #clear(): void {
    this.#partitions.clear()
    this.#size = 0
  }
}

function partitionOf({ table, app, date }: VisitorChange): string {
  return partitionKey(table, app, date)
}
