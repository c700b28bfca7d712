import type { DatabaseSync } from 'node:sqlite'
import { counterTableNames, visitorTableNames } from '../../ports/table-definitions.ts'
import { prepareArchive } from '../archive/archive-queries.ts'
import { prepareTables } from './table-schema.ts'

/** Folds of the log that have a column `app`. */
export const foldsByApp: readonly string[] = [
  ...counterTableNames,
  ...visitorTableNames,
  'applied',
  'versions_by_date',
  'seen_by_date',
  'person_by_device',
  'devices_by_person',
  'sessions_by_id',
  'chunks',
  'archived',
]
/** All folds, including those without `app` and the positions at which reading of the lanes resumes. */
export const folds: readonly string[] = [...foldsByApp, 'chunk_cells', 'archive_losses', 'dead_letters', 'lanes']
/** Kind of the records with the progress of counting the past of funnels. */
export const BACKFILLS = 'backfill'
/** Kind of the records with the progress of reviewing who is a bot: verdicts are those of the archive. */
export const BOT_REVIEWS = 'bot_review'
/** Resets a record like `resetBackfill` in contracts: stages keep the positions at which they became known. */
const UNCOUNTED = "record = json_set(json_remove(record, '$.last'), '$.counted', 0, '$.done', 0, '$.dates', 0)"
/** Tables that no log can restore. */
export const keptTables: readonly string[] = ['registry', 'registry_changes', 'installation', 'replayed_letters']

/** Drops every fold and creates it again in the current version, within the caller's transaction. */
export function clearAll(database: DatabaseSync): void {
  for (const table of folds) database.exec(`DROP TABLE IF EXISTS main.${table}`)
  prepareTables(database)
  prepareArchive(database)
  database.exec(`UPDATE main.registry SET ${UNCOUNTED} WHERE kind = '${BACKFILLS}'`)
  database.exec(`DELETE FROM main.registry WHERE kind = '${BOT_REVIEWS}'`)
}

/** Deletes the content of one app from all folds, within the caller's transaction. */
export function clearApp(database: DatabaseSync, app: string): void {
  prepareTables(database)
  prepareArchive(database)
  database.prepare('DELETE FROM chunk_cells WHERE chunk IN (SELECT id FROM chunks WHERE app = ?)').run(app)
  for (const table of foldsByApp) database.prepare(`DELETE FROM ${table} WHERE app = ?`).run(app)
  database.prepare(`UPDATE main.registry SET ${UNCOUNTED} WHERE kind = ? AND owner = ?`).run(BACKFILLS, app)
  database.prepare('DELETE FROM main.registry WHERE kind = ? AND owner = ?').run(BOT_REVIEWS, app)
}
