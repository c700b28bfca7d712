import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { counterTableNames, visitorTableNames } from '../ports/table-definitions.ts'
import { prepareArchive } from './archive-queries.ts'
import { lockDirectory } from './directory-lock.ts'
import { openDatabase, transaction } from './sqlite.ts'
import { prepareTables } from './table-schema.ts'

/** Folds of the log that have a column `app`. */
export const foldsByApp: readonly string[] = [
  ...counterTableNames, ...visitorTableNames,
  'applied', 'seen_by_date', 'person_by_device', 'devices_by_person', 'sessions_by_id', 'chunks', 'archived',
]
/** The others, and where each lane is read again. */
export const folds: readonly string[] = [...foldsByApp, 'chunk_cells', 'archive_losses', 'dead_letters', 'lanes']
/** What no log can give back. */
export const keptTables: readonly string[] = ['registry', 'registry_changes', 'installation']

/**
 * Empties every fold of the log in a data directory, or what they have of one app, and lets each lane be read again from its beginning, in one
 * transaction: whoever opens the directory next counts and archives anew. All tables are made again as this version has them. Throws HOP_CONFIG when
 * another process has it.
 */
export function clearFolds(dir: string, app?: string): void {
  const lock = lockDirectory(dir)
  try {
    const file = join(dir, 'tables.db')
    if (!existsSync(file)) return
    const database = openDatabase(file)
    try {
      transaction(database, () => (app === undefined ? clearAll(database) : clearApp(database, app)))
    } finally {
      database.close()
    }
  } finally {
    lock.release()
  }
}

/** Empties every fold and makes it again as this version has it, within the caller's transaction. */
export function clearAll(database: DatabaseSync): void {
  for (const table of folds) database.exec(`DROP TABLE IF EXISTS ${table}`)
  prepareTables(database)
  prepareArchive(database)
}

function clearApp(database: DatabaseSync, app: string): void {
  prepareTables(database)
  prepareArchive(database)
  database.prepare('DELETE FROM chunk_cells WHERE chunk IN (SELECT id FROM chunks WHERE app = ?)').run(app)
  for (const table of foldsByApp) database.prepare(`DELETE FROM ${table} WHERE app = ?`).run(app)
  database.exec('UPDATE lanes SET position = 0')
}
