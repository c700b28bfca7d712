import type { Client } from 'cassandra-driver'
import type { IndexedCollection } from '../registry-of.ts'
import { mapConcurrent } from './client/map-concurrent.ts'
import { rowsOf, statement } from './client/statements.ts'

const READ_CONCURRENCY = 64

/** Records as JSON, indexed by owner and by id. */
export class CassandraCollection<T> implements IndexedCollection<T> {
  readonly #client: Client
  readonly #kind: string

  constructor(client: Client, kind: string) {
    this.#client = client
    this.#kind = kind
  }

  async get(owner: string, id: string): Promise<T | undefined> {
    const [row] = await rowsOf(this.#client, 'registry.get', [this.#kind, owner, id])
    return row && (JSON.parse(row.get('record') as string) as T)
  }

  async list(owner?: string): Promise<readonly T[]> {
    const owners =
      owner === undefined
        ? (await rowsOf(this.#client, 'registry.owners', [this.#kind])).map((row) => row.get('owner') as string)
        : [owner]
    const rows = await mapConcurrent(owners, READ_CONCURRENCY, (each) =>
      rowsOf(this.#client, 'registry.list', [this.#kind, each]),
    )
    return rows.flat().map((row) => JSON.parse(row.get('record') as string) as T)
  }

  async put(owner: string, id: string, record: T): Promise<void> {
    const json = JSON.stringify(record)
    await this.#batch([
      ['registry.put', [this.#kind, owner, id, json]],
      ['registry.putOwner', [this.#kind, owner]],
      ['registry.putById', [this.#kind, id, owner, json]],
    ])
  }

  async remove(owner: string, id: string): Promise<boolean> {
    const found = (await this.get(owner, id)) !== undefined
    if (found)
      await this.#batch([
        ['registry.remove', [this.#kind, owner, id]],
        ['registry.removeById', [this.#kind, id]],
      ])
    return found
  }

  async byId(id: string): Promise<T | undefined> {
    const [row] = await rowsOf(this.#client, 'registry.byId', [this.#kind, id])
    return row && (JSON.parse(row.get('record') as string) as T)
  }

  /** Runs a logged batch: all or nothing. */
  async #batch(writes: [name: string, params: unknown[]][]): Promise<void> {
    await this.#client.batch(
      writes.map(([name, params]) => ({ query: statement(name), params })),
      { prepare: true, logged: true, isIdempotent: true },
    )
  }
}
