import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Tables that locate chunks and lanes, and random versions: they differ between two ways of counting the same log. */
const leftOut = ['chunks', 'chunk_cells', 'archived', 'lanes', 'applied', 'registry_changes', 'versions_by_date']

/** Returns every row of the counted tables of a data directory, as text, sorted. */
export function tablesOf(dir: string): string[] {
  using database = new DatabaseSync(join(dir, 'tables.db'), { readOnly: true })
  const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
  return names
    .map(({ name }) => String(name))
    .filter((name) => !leftOut.includes(name))
    .flatMap((name) =>
      database
        .prepare(`SELECT * FROM ${name}`)
        .all()
        // How often verdicts were changed depends on when reviews ran.
        .filter(({ kind }) => name !== 'registry' || kind !== 'bot_review')
        .map((row) => JSON.stringify([name, row])),
    )
    .sort()
}
