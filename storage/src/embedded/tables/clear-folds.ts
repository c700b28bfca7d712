import type { DatabaseSync } from 'node:sqlite'
import { counterTableNames, visitorTableNames } from '../../ports/table-definitions.ts'
import { prepareArchive } from '../archive/archive-queries.ts'
import { prepareTables } from './table-schema.ts'

/** Folds of the log that have a column `app`. */
export const foldsByApp: readonly string[] = [
  ...counterTableNames,
  ...visitorTableNames,
  'applied',
  'seen_by_date',
  'person_by_device',
  'devices_by_person',
  'sessions_by_id',
  'chunks',
  'archived',
]
/** The others, and where each lane is read again. */
export const folds: readonly string[] = [...foldsByApp, 'chunk_cells', 'archive_losses', 'dead_letters', 'lanes']
/** The kind of records that say how far the past of funnels is counted in the tables. */
export const BACKFILLS = 'backfill'
/** Stages keep the positions at which they became known, as `uncounted` in contracts has it. */
const UNCOUNTED = "record = json_set(json_remove(record, '$.last'), '$.counted', 0, '$.done', 0, '$.dates', 0)"
/** What no log can give back. */
export const keptTables: readonly string[] = ['registry', 'registry_changes', 'installation', 'replayed_letters']

/** Empties every fold and makes it again as this version has it, within the caller's transaction. */
export function clearAll(database: DatabaseSync): void {
  for (const table of folds) database.exec(`DROP TABLE IF EXISTS main.${table}`)
  prepareTables(database)
  prepareArchive(database)
  database.exec(`UPDATE main.registry SET ${UNCOUNTED} WHERE kind = '${BACKFILLS}'`)
}

/** Empties what the folds have of one app, within the caller's transaction. */
export function clearApp(database: DatabaseSync, app: string): void {
  prepareTables(database)
  prepareArchive(database)
  database.prepare('DELETE FROM chunk_cells WHERE chunk IN (SELECT id FROM chunks WHERE app = ?)').run(app)
  for (const table of foldsByApp) database.prepare(`DELETE FROM ${table} WHERE app = ?`).run(app)
  database.prepare(`UPDATE main.registry SET ${UNCOUNTED} WHERE kind = ? AND owner = ?`).run(BACKFILLS, app)
}
