import type { VisitorChange } from '@hopper/storage'
import { partitionKey } from './row-key.ts'
import { visitorRowKey, type VisitorRow } from './visitor-rows.ts'

/** Rows of visitors that the owner of a lane has written: most visitors come again within the hour, and their rows stay as they are. */
export class WrittenVisitors {
  readonly #max: number
  readonly #written = new Set<string>()

  constructor(max: number) {
    this.#max = max
  }

  /** The changes without the rows that are written. */
  unwritten(changes: readonly VisitorChange[]): VisitorChange[] {
    return changes.flatMap((change) => {
      const rows = change.rows.filter((row) => !this.#written.has(textOf(change, row)))
      return rows.length === 0 ? [] : [{ ...change, rows }]
    })
  }

  /** Remembers rows that the tables hold now. */
  add(changes: readonly VisitorChange[]): void {
    for (const change of changes) {
      if (this.#written.size + change.rows.length > this.#max) this.#written.clear()
      for (const row of change.rows.slice(0, this.#max)) this.#written.add(textOf(change, row))
    }
  }
}

function textOf({ table, app, date }: VisitorChange, row: VisitorRow): string {
  return `${partitionKey(table, app, date)}\0${visitorRowKey(row)}`
}
