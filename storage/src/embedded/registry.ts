import type { DatabaseSync } from 'node:sqlite'
import type { App, Element, Funnel, KeyRecord, Member, Organization } from '@hopper/contracts'
import type { Collection, Login, Registry } from '../ports/registry.ts'

class EmbeddedCollection<T> implements Collection<T> {
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

/** The registry as JSON records in SQLite: small, read often, cached by its callers. */
export class EmbeddedRegistry implements Registry {
  readonly organizations: Collection<Organization>
  readonly apps: Collection<App>
  readonly keys: Collection<KeyRecord>
  readonly funnels: Collection<Funnel>
  readonly elements: Collection<Element>
  readonly members: Collection<Member>
  readonly logins: Collection<Login>
  readonly app: (id: string) => Promise<App | undefined>
  readonly keyByHash: (hash: string) => Promise<KeyRecord | undefined>

  constructor(database: DatabaseSync) {
    const apps = new EmbeddedCollection<App>(database, 'app')
    const keys = new EmbeddedCollection<KeyRecord>(database, 'key')
    this.organizations = new EmbeddedCollection(database, 'organization')
    this.apps = apps
    this.keys = keys
    this.funnels = new EmbeddedCollection(database, 'funnel')
    this.elements = new EmbeddedCollection(database, 'element')
    this.members = new EmbeddedCollection(database, 'member')
    this.logins = new EmbeddedCollection(database, 'login')
    this.app = (id) => apps.byId(id)
    this.keyByHash = (hash) => keys.byId(hash)
  }
}
