import type { DatabaseSync } from 'node:sqlite'
import type { IndexedCollection } from '../registry-of.ts'
import { isLasting } from './registry-state.ts'
import { transaction } from './sqlite.ts'

/** Records as JSON in SQLite: small, read often, cached by their readers. */
export class EmbeddedCollection<T> implements IndexedCollection<T> {
  readonly #database: DatabaseSync
  readonly #kind: string

  constructor(database: DatabaseSync, kind: string) {
    this.#database = database
    this.#kind = kind
  }

  async get(owner: string, id: string): Promise<T | undefined> {
    return parseRow(
      this.#database
        .prepare('SELECT record FROM registry WHERE kind = ? AND owner = ? AND id = ?')
        .get(this.#kind, owner, id),
    )
  }

  async list(owner?: string): Promise<readonly T[]> {
    const rows =
      owner === undefined
        ? this.#database.prepare('SELECT record FROM registry WHERE kind = ? ORDER BY owner, id').all(this.#kind)
        : this.#database
            .prepare('SELECT record FROM registry WHERE kind = ? AND owner = ? ORDER BY id')
            .all(this.#kind, owner)
    return rows.map((row) => parseRow<T>(row)!)
  }

  async put(owner: string, id: string, record: T): Promise<void> {
    const put = 'INSERT INTO registry VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record'
    this.#change(put, this.#kind, owner, id, JSON.stringify(record))
  }

  async remove(owner: string, id: string): Promise<boolean> {
    return this.#change('DELETE FROM registry WHERE kind = ? AND owner = ? AND id = ?', this.#kind, owner, id)
  }

  async byId(id: string): Promise<T | undefined> {
    return parseRow(this.#database.prepare('SELECT record FROM registry WHERE kind = ? AND id = ?').get(this.#kind, id))
  }

  /**
   * Returns whether the statement changed anything. A change of a permanent record also increments the change counter.
   */
  #change(statement: string, ...values: string[]): boolean {
    return transaction(this.#database, () => {
      const changed = this.#database.prepare(statement).run(...values).changes > 0
      if (changed && isLasting(this.#kind))
        this.#database.exec(
          'INSERT INTO registry_changes VALUES (1, 1) ON CONFLICT DO UPDATE SET changes = changes + 1',
        )
      return changed
    })
  }
}

function parseRow<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as { record: string }).record) as T)
}
