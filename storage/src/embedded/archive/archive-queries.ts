import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ChunkSummary } from '@hopper/contracts'
import type { ChunkKey, ChunkRange } from '../../ports/archive.ts'
import { transaction } from '../sqlite.ts'

/**
 * Creates the tables of the archive: chunks by number, with their cells in a separate table. `replaced_at` (ms) is set
 * for chunks that no reader lists: those replaced by a merged span, and parts of a span that is not complete yet.
 */
export function prepareArchive(database: DatabaseSync): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS chunks (
      id INTEGER PRIMARY KEY, app TEXT NOT NULL, date TEXT NOT NULL, lane INTEGER NOT NULL,
      first_position INTEGER NOT NULL, last_position INTEGER NOT NULL, part INTEGER NOT NULL,
      min_time INTEGER NOT NULL, max_time INTEGER NOT NULL, summary TEXT NOT NULL, replaced_at INTEGER);
    CREATE UNIQUE INDEX IF NOT EXISTS chunks_by_key ON chunks (app, date, lane, first_position, last_position, part);
    CREATE INDEX IF NOT EXISTS chunks_by_time ON chunks (app, max_time, min_time);
    CREATE INDEX IF NOT EXISTS chunks_replaced ON chunks (replaced_at) WHERE replaced_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS chunk_cells (
      chunk INTEGER NOT NULL, "column" TEXT NOT NULL, cell BLOB NOT NULL, PRIMARY KEY (chunk, "column"));
    CREATE TABLE IF NOT EXISTS archived (
      app TEXT NOT NULL, date TEXT NOT NULL, lane INTEGER NOT NULL, position INTEGER NOT NULL,
      PRIMARY KEY (app, date, lane)) WITHOUT ROWID;
  `)
}

const SWEPT_MAX = 20

/** Reads the archive and deletes expired chunks, in the thread of the caller. */
export class ArchiveQueries {
  readonly #list: StatementSync
  readonly #find: StatementSync
  readonly #cell: StatementSync
  readonly #database: DatabaseSync
  readonly #old: StatementSync
  readonly #drops: readonly StatementSync[]

  constructor(database: DatabaseSync) {
    this.#list = database.prepare(`SELECT summary FROM chunks
      WHERE app = ? AND max_time >= ? AND min_time < ? AND lane BETWEEN ? AND ? AND replaced_at IS NULL
      ORDER BY lane, date, first_position, last_position, part`)
    this.#find = database.prepare(
      'SELECT id FROM chunks ' +
        'WHERE app = ? AND date = ? AND lane = ? AND first_position = ? AND last_position = ? AND part = ? ' +
        "AND json_extract(summary, '$.rows') = ?",
    )
    this.#cell = database.prepare('SELECT cell FROM chunk_cells WHERE chunk = ? AND "column" = ?')
    this.#database = database
    this.#old = database.prepare(`SELECT id FROM chunks WHERE replaced_at <= ? LIMIT ${SWEPT_MAX}`)
    this.#drops = [
      database.prepare('DELETE FROM chunk_cells WHERE chunk = ?'),
      database.prepare('DELETE FROM chunks WHERE id = ?'),
    ]
  }

  list({ app, from, to, lane }: ChunkRange): ChunkSummary[] {
    const rows = this.#list.all(app, from, to, lane ?? 0, lane ?? Number.MAX_SAFE_INTEGER) as { summary: string }[]
    return rows.map((row) => JSON.parse(row.summary) as ChunkSummary)
  }

  columns(chunk: ChunkKey, names: readonly string[]): Map<string, Uint8Array> {
    const cells = new Map<string, Uint8Array>()
    const { app, date, lane, first_position, last_position, part, rows } = chunk
    const found = this.#find.get(app, date, lane, first_position, last_position, part, rows) as
      { id: number } | undefined
    if (!found) return cells
    for (const name of names) {
      const row = this.#cell.get(found.id, name) as { cell: Uint8Array } | undefined
      if (row) cells.set(name, row.cell)
    }
    return cells
  }

  /**
   * Deletes some chunks that were replaced before an instant (ms), each in its own transaction. Returns their number.
   */
  sweep(before: number): number {
    const old = this.#old.all(before) as { id: number }[]
    for (const { id } of old) transaction(this.#database, () => this.#drops.forEach((drop) => drop.run(id)))
    return old.length
  }
}
