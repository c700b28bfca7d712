import { randomBytes } from 'node:crypto'
import type { Client, types } from 'cassandra-driver'
import { SECRET_BYTES, type Lifetime, type Secrets } from '../ports/secrets.ts'
import { statement } from './client/statements.ts'

/** Secrets created by lightweight transactions; those with a lifetime are removed by their time to live. */
export class CassandraSecrets implements Secrets {
  readonly #client: Client
  readonly #serial: types.consistencies

  constructor(client: Client, serial: types.consistencies) {
    this.#client = client
    this.#serial = serial
  }

  async secret(name: string, lifetime?: Lifetime): Promise<Uint8Array> {
    const known = await this.#read(name, lifetime)
    if (known) return known
    const secret = randomBytes(SECRET_BYTES)
    const [query, values] = lifetime
      ? ['secrets.createTemporary', [name, secret, secondsOf(lifetime)]]
      : ['secrets.create', [name, secret]]
    const answer = await this.#client.execute(statement(query), values, { prepare: true, isIdempotent: false })
    // A transaction that was not applied answers with the row that was there before.
    return answer.wasApplied() ? secret : (answer.first().get('secret') as Buffer)
  }

  /** Cassandra removes them itself. */
  async removeExpired(): Promise<void> {}

  /** Reads at serial consistency, which completes a transaction that was under way. */
  async #read(name: string, lifetime: Lifetime | undefined): Promise<Buffer | undefined> {
    const query = lifetime ? 'secrets.getTemporary' : 'secrets.get'
    const options = { prepare: true, isIdempotent: true, consistency: this.#serial }
    const row = (await this.#client.execute(statement(query), [name], options)).first()
    return (row?.get('secret') as Buffer | null | undefined) ?? undefined
  }
}

function secondsOf({ now, expiresAt }: Lifetime): number {
  return Math.max(1, Math.floor((expiresAt - now) / 1_000))
}
