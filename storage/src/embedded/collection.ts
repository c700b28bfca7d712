import type { DatabaseSync } from 'node:sqlite'
import type { IndexedCollection } from '../registry-of.ts'

/** Records as JSON in SQLite: small, read often, cached by their readers. */
export class EmbeddedCollection<T> implements IndexedCollection<T> {
  readonly #database: DatabaseSync
  readonly #kind: string

  constructor(database: DatabaseSync, kind: string) {
    this.#database = database
    this.#kind = kind
  }

  async get(owner: string, id: string): Promise<T | undefined> {
    return parsed(this.#database.prepare('SELECT record FROM registry WHERE kind = ? AND owner = ? AND id = ?').get(this.#kind, owner, id))
  }

  async list(owner?: string): Promise<readonly T[]> {
    const rows =
      owner === undefined
        ? this.#database.prepare('SELECT record FROM registry WHERE kind = ? ORDER BY owner, id').all(this.#kind)
        : this.#database.prepare('SELECT record FROM registry WHERE kind = ? AND owner = ? ORDER BY id').all(this.#kind, owner)
    return rows.map((row) => parsed<T>(row)!)
  }

  async put(owner: string, id: string, record: T): Promise<void> {
    this.#database.prepare('INSERT INTO registry VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET record = excluded.record').run(this.#kind, owner, id, JSON.stringify(record))
  }

  async remove(owner: string, id: string): Promise<boolean> {
    return this.#database.prepare('DELETE FROM registry WHERE kind = ? AND owner = ? AND id = ?').run(this.#kind, owner, id).changes > 0
  }

  async byId(id: string): Promise<T | undefined> {
    return parsed(this.#database.prepare('SELECT record FROM registry WHERE kind = ? AND id = ?').get(this.#kind, id))
  }
}

function parsed<T>(row: unknown): T | undefined {
  return row === undefined ? undefined : (JSON.parse((row as { record: string }).record) as T)
}
