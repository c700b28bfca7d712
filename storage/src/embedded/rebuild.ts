import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { copyBackfills } from '../copy-backfills.ts'
import { withOverrides } from '../with-overrides.ts'
import type { Storage } from '../ports/storage.ts'
import { registryOf } from '../registry-of.ts'
import { EmbeddedArchive } from './archive/archive.ts'
import { prepareArchive } from './archive/archive-queries.ts'
import { BACKFILLS, BOT_REVIEWS, clearAll, clearApp, folds, foldsByApp } from './tables/clear-folds.ts'
import { EmbeddedSecrets } from './secrets.ts'
import { EmbeddedClaims } from './claims.ts'
import { EmbeddedCollection } from './collection.ts'
import { lockDirectory } from './directory/directory-lock.ts'
import { EmbeddedEventLog } from './log/event-log.ts'
import { EmbeddedLanes } from './lanes.ts'
import { openDatabase, transaction } from './sqlite.ts'
import { EmbeddedTableReader } from './tables/table-reader.ts'
import { prepareTables } from './tables/table-schema.ts'
import { EmbeddedTableWriter } from './tables/table-writer.ts'

const COPY_PROGRESS =
  'INSERT OR REPLACE INTO main.registry SELECT * FROM staged.registry ' +
  `WHERE kind IN ('${BACKFILLS}', '${BOT_REVIEWS}')`
/** the file in which a rebuild counts beside the tables */
export const REBUILD_FILE = 'rebuild.db'

/** A data directory whose log is counted again beside its tables. */
export interface Rebuild {
  /**
   * The existing log and registry; everything else is staged. Contains the counts of an earlier attempt on the same
   * basis.
   */
  readonly storage: Storage
  /**
   * Replaces the tables and the archive, or their content of one app, by the staged ones in one transaction. Closes.
   */
  replace(app?: string): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a data directory for a rebuild. `basis` identifies everything that the tables depend on besides the log: counts
 * that were made on another basis are discarded. Throws HOP_CONFIG when another process has the directory.
 */
export function openRebuild(
  dir: string,
  lanes: number,
  basisOf: (registry: Storage['registry']) => Promise<string>,
): Promise<Rebuild> {
  const lock = lockDirectory(dir)
  return open(dir, lanes, basisOf, () => lock.release()).catch((error: unknown) => {
    lock.release()
    throw error
  })
}

async function open(
  dir: string,
  lanes: number,
  basisOf: (registry: Storage['registry']) => Promise<string>,
  release: () => void,
): Promise<Rebuild> {
  const tables = openDatabase(join(dir, 'tables.db'))
  prepareTables(tables)
  const registry = registryOf((kind) => new EmbeddedCollection(tables, kind), new EmbeddedClaims())
  const file = join(dir, REBUILD_FILE)
  const staged = openStaged(file, await basisOf(registry))
  copyReplayed(tables, staged)
  for (const { id, kept_from } of await registry.apps.list())
    if (kept_from !== undefined) copyIdentities(tables, staged, id)
  // Progress of counting the past of funnels, and of reviewing who is a bot, belongs to the tables.
  const { backfills, botReviews } = registryOf((kind) => new EmbeddedCollection(staged, kind), new EmbeddedClaims())
  await copyBackfills(registry, backfills)
  const stagedRegistry = withOverrides(registry, { backfills, botReviews })
  const log = new EmbeddedEventLog(dir, lanes)
  const owners = new EmbeddedLanes(staged, lanes)
  const archive = new EmbeddedArchive(staged, file, owners)
  const reader = new EmbeddedTableReader(file)
  const secrets = new EmbeddedSecrets(dir)
  const closeStaged = async (): Promise<void> => {
    await log.close()
    await reader.close()
    await archive.close()
    staged.close()
    secrets.close()
  }
  return {
    storage: {
      log,
      registry: stagedRegistry,
      secrets,
      reader,
      archive,
      lanes: owners,
      writer: new EmbeddedTableWriter(staged, owners),
      health: async () => [],
      close: closeStaged,
    },
    replace: async (app) => {
      await closeStaged()
      replaceFolds(tables, file, app)
      tables.close()
      removeDatabase(file)
      release()
    },
    close: async () => {
      await closeStaged()
      tables.close()
      release()
    },
  }
}

/** Opens the database of an earlier attempt on the same basis, else an empty one. */
function openStaged(file: string, basis: string): DatabaseSync {
  const earlier = openDatabase(file)
  if (basisOfStaged(earlier) === basis) return prepare(earlier)
  earlier.close()
  removeDatabase(file)
  const database = prepare(openDatabase(file))
  database.exec('CREATE TABLE rebuild (basis TEXT NOT NULL)')
  database.prepare('INSERT INTO rebuild VALUES (?)').run(basis)
  return database
}

function basisOfStaged(database: DatabaseSync): string | undefined {
  if (!database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'rebuild'").get()) return undefined
  return (database.prepare('SELECT basis FROM rebuild').get() as { basis: string } | undefined)?.basis
}

function prepare(database: DatabaseSync): DatabaseSync {
  prepareTables(database)
  prepareArchive(database)
  return database
}

function removeDatabase(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
}

function replaceFolds(tables: DatabaseSync, file: string, app: string | undefined): void {
  tables.prepare('ATTACH ? AS staged').run(file)
  transaction(tables, () => (app === undefined ? replaceAll(tables) : replaceApp(tables, app)))
  tables.exec('DETACH staged')
}

/** Replayed letters count at their new position in the staged tables too. */
function copyReplayed(tables: DatabaseSync, staged: DatabaseSync): void {
  const put = staged.prepare('INSERT OR IGNORE INTO replayed_letters VALUES (?, ?)')
  const all = tables.prepare('SELECT lane, position FROM replayed_letters').all()
  for (const { lane, position } of all) put.run(lane!, position!)
}

function replaceAll(tables: DatabaseSync): void {
  clearAll(tables)
  tables.exec(COPY_PROGRESS)
  for (const table of folds) tables.exec(`INSERT INTO main.${table} SELECT * FROM staged.${table}`)
  tables.exec('UPDATE main.lanes SET owner = NULL')
}

/**
 * Replaces the content of one app. Dead letters belong to no app, so those of the whole log are replaced. The lanes'
 * positions stay: messages that the app has counted beyond them are skipped.
 */
function replaceApp(tables: DatabaseSync, app: string): void {
  clearApp(tables, app)
  tables.prepare(`${COPY_PROGRESS} AND owner = ?`).run(app)
  const { first } = tables.prepare('SELECT coalesce(max(id), 0) AS first FROM main.chunks').get() as { first: number }
  const ofApp = 'WHERE app = ?'
  for (const table of foldsByApp.filter((name) => name !== 'chunks'))
    tables.prepare(`INSERT INTO main.${table} SELECT * FROM staged.${table} ${ofApp}`).run(app)
  const columns = 'app, date, lane, first_position, last_position, part, min_time, max_time, summary, replaced_at'
  tables
    .prepare(`INSERT INTO main.chunks (id, ${columns}) SELECT id + ?, ${columns} FROM staged.chunks ${ofApp}`)
    .run(first, app)
  tables
    .prepare(
      `INSERT INTO main.chunk_cells SELECT chunk + ?, "column", cell FROM staged.chunk_cells
    WHERE chunk IN (SELECT id FROM staged.chunks ${ofApp})`,
    )
    .run(first, app)
  tables.exec('DELETE FROM main.dead_letters; INSERT INTO main.dead_letters SELECT * FROM staged.dead_letters')
}

/** Identities may come from events that have expired, which the log no longer has. */
function copyIdentities(from: DatabaseSync, to: DatabaseSync, app: string): void {
  for (const [table, columns] of [
    ['person_by_device', ['app', 'device', 'place', 'user']],
    ['devices_by_person', ['app', 'user', 'device']],
  ] as const) {
    const put = to.prepare(`INSERT OR IGNORE INTO ${table} VALUES (${columns.map(() => '?').join()})`)
    const rows = from.prepare(`SELECT ${columns.join()} FROM ${table} WHERE app = ?`).all(app)
    transaction(to, () => {
      for (const row of rows) put.run(...columns.map((name) => row[name]!))
    })
  }
}
