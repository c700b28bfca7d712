import { DatabaseSync, type StatementSync } from 'node:sqlite'

const CACHE_KB = 64_000

/**
 * Counts how often each content has come before in a file. Memory is bounded, whatever the length of the file: the
 * counts are in a temporary database of SQLite, which writes to the disk what does not fit into its cache.
 */
export class Repetitions implements Disposable {
  readonly #database = new DatabaseSync('')
  readonly #count: StatementSync

  constructor() {
    this.#database.exec(
      `PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KB};
      CREATE TABLE repetitions (a INTEGER, b INTEGER, before INTEGER NOT NULL, PRIMARY KEY (a, b)) WITHOUT ROWID;
      BEGIN`,
    )
    this.#count = this.#database.prepare(
      'INSERT INTO repetitions VALUES (?, ?, 0) ON CONFLICT DO UPDATE SET before = before + 1 RETURNING before',
    )
  }

  /** Returns how often the id of a content, a UUID, was given before. 96 bits of it are compared. */
  before(contentId: string): number {
    const first = parseInt(contentId.slice(0, 8) + contentId.slice(9, 13), 16)
    const last = parseInt(contentId.slice(24), 16)
    return (this.#count.get(first, last) as { before: number }).before
  }

  [Symbol.dispose](): void {
    this.#database.close()
  }
}
