import type { Visitor } from '@hopper/contracts'
import type { Key, VisitorChange } from '@hopper/storage'
import { rowKey } from './row-key.ts'

/** Row of a visitor table. */
export type VisitorRow = VisitorChange['rows'][number]

/** Collects the distinct visitors that a batch adds to one partition. */
export class VisitorRows {
  readonly #partition: Omit<VisitorChange, 'rows'>
  readonly #keys = new Map<string, { readonly key: Key; readonly visitors: Map<string, Visitor> }>()

  constructor(partition: Omit<VisitorChange, 'rows'>) {
    this.#partition = partition
  }

  put(key: Key, visitor: Visitor): void {
    const id = rowKey(key)
    let entry = this.#keys.get(id)
    if (!entry) this.#keys.set(id, (entry = { key, visitors: new Map() }))
    entry.visitors.set(visitorName(visitor), visitor)
  }

  /** Returns the rows; those of one key are adjacent and share it. */
  changes(): VisitorChange[] {
    const rows = [...this.#keys.values()].flatMap(({ key, visitors }) =>
      Array.from(visitors.values(), (visitor): VisitorRow => ({ key, visitor })),
    )
    return rows.length === 0 ? [] : [{ ...this.#partition, rows }]
  }
}

const names = new WeakMap<Visitor, string>()

/** Returns a string that identifies a visitor, built once per object. A user id may contain any character. */
export function visitorName(visitor: Visitor): string {
  let name = names.get(visitor)
  if (name === undefined) names.set(visitor, (name = `${visitor.user.length}\0${visitor.user}\0${visitor.device}`))
  return name
}

/** Returns a string that identifies a row. */
export function visitorRowKey({ key, visitor }: VisitorRow): string {
  return `${rowKey(key)}\0${visitorName(visitor)}`
}
