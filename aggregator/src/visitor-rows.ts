import type { Visitor } from '@hopper/contracts'
import type { Key, VisitorChange } from '@hopper/storage'
import { rowKey } from './row-key.ts'

/** A row of visitors. */
export type VisitorRow = VisitorChange['rows'][number]

/** The distinct visitors that a batch puts into one partition. */
export class VisitorRows {
  readonly #partition: Omit<VisitorChange, 'rows'>
  readonly #rows = new Map<string, VisitorRow>()

  constructor(partition: Omit<VisitorChange, 'rows'>) {
    this.#partition = partition
  }

  put(key: Key, visitor: Visitor): void {
    const row = { key, visitor }
    const id = visitorRowKey(row)
    if (!this.#rows.has(id)) this.#rows.set(id, row)
  }

  changes(): VisitorChange[] {
    return this.#rows.size === 0 ? [] : [{ ...this.#partition, rows: [...this.#rows.values()] }]
  }
}

/** One text for a row; a user's id may hold any character. */
export function visitorRowKey({ key, visitor }: VisitorRow): string {
  return `${rowKey(key)}\0${visitor.user.length}\0${visitor.user}\0${visitor.device}`
}
