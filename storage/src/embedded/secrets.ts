import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { SECRET_BYTES, type Lifetime, type Secrets } from '../ports/secrets.ts'
import { openError, openSmallDatabase } from './sqlite.ts'

export const SECRETS_FILE = 'secrets.db'

/**
 * Secrets in a file of their own: it can be left out of backups, and it overwrites deleted data, which would make the
 * tables slow. The file is created with the first secret.
 */
export class EmbeddedSecrets implements Secrets {
  readonly #file: string
  #opened: DatabaseSync | undefined

  constructor(dir: string) {
    this.#file = join(dir, SECRETS_FILE)
  }

  async secret(name: string, lifetime?: Lifetime): Promise<Uint8Array> {
    const database = this.#database()
    if (lifetime) await this.removeExpired(lifetime.now)
    database
      .prepare('INSERT OR IGNORE INTO secrets VALUES (?, ?, ?)')
      .run(name, randomBytes(SECRET_BYTES), lifetime?.expiresAt ?? null)
    const row = database.prepare('SELECT secret FROM secrets WHERE name = ?').get(name) as { secret: Uint8Array }
    return row.secret
  }

  async removeExpired(now: number): Promise<void> {
    if (!existsSync(this.#file)) return
    this.#database().prepare('DELETE FROM secrets WHERE expires_at <= ?').run(now)
  }

  close(): void {
    this.#opened?.close()
  }

  #database(): DatabaseSync {
    if (this.#opened) return this.#opened
    try {
      // only this user may read it
      closeSync(openSync(this.#file, 'a', 0o600))
      const database = openSmallDatabase(this.#file)
      database.exec(`
        PRAGMA secure_delete = ON;
        CREATE TABLE IF NOT EXISTS secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL, expires_at INTEGER)
          WITHOUT ROWID`)
      return (this.#opened = database)
    } catch (error) {
      throw openError(error)
    }
  }
}
