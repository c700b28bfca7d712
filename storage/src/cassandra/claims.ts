import type { Client } from 'cassandra-driver'
import type { Claims } from '../ports/registry.ts'
import { statement } from './client/statements.ts'

/** Claims by lightweight transactions. They end by their time to live, so no clock of another machine is trusted. */
export class CassandraClaims implements Claims {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async claim(name: string, holder: string, leaseMs: number): Promise<boolean> {
    const seconds = Math.max(1, Math.ceil(leaseMs / 1_000))
    if (await this.#transact('claims.create', [name, holder, seconds])) return true
    return this.#transact('claims.renew', [seconds, holder, name, holder])
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#transact('claims.release', [name, holder])
  }

  async #transact(name: string, parameters: unknown[]): Promise<boolean> {
    const options = { prepare: true, isIdempotent: false }
    return (await this.#client.execute(statement(name), parameters, options)).wasApplied()
  }
}
