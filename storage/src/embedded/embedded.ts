import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { PartHealth, Scrubbed, Storage } from '../ports/storage.ts'
import { registryOf } from '../registry-of.ts'
import { EmbeddedArchive } from './archive/archive.ts'
import { ensureDirectory, probe } from './directory/data-directory.ts'
import { LOCK_FILE, lockDirectory } from './directory/directory-lock.ts'
import { EmbeddedEventLog } from './log/event-log.ts'
import type { LaneLogger } from './log/lane-readers.ts'
import { FilesInPlace } from './directory/files-in-place.ts'
import { ensureIntact, type LossLogger } from './intact/accept-loss.ts'
import { LOG_FILE, TABLES_FILE } from './intact/find-damage.ts'
import { identify } from './log/log-schema.ts'
import { EmbeddedLanes } from './lanes.ts'
import { EmbeddedClaims } from './claims.ts'
import { EmbeddedCollection } from './collection.ts'
import { REBUILD_FILE } from './rebuild.ts'
import { EmbeddedSecrets } from './secrets.ts'
import { measureDirectory } from './disk-use.ts'
import { openError, openDatabase, truncateWal } from './sqlite.ts'
import { EmbeddedTableReader } from './tables/table-reader.ts'
import { prepareTables } from './tables/table-schema.ts'
import { TablesRecorder } from './tables/tables-recorder.ts'
import { EmbeddedTableWriter } from './tables/table-writer.ts'

export { ensureDirectory } from './directory/data-directory.ts'
export { assertLogIntact } from './intact/accept-loss.ts'
export { openRebuild } from './rebuild.ts'

/** size of the probe that checks whether a disk that was full accepts writes again */
const PROBE_BYTES = 256_000

export interface EmbeddedOptions {
  /** the data directory; created if it is missing */
  readonly dir: string
  /** number of lanes; fixed when the directory is created */
  readonly lanes: number
  /** false for an additional thread of the process that has the directory */
  readonly exclusive?: boolean
  /** true: continues without lost data and records the loss */
  readonly acceptLoss?: boolean
  /** receives accepted losses, and stalled lanes */
  readonly logger?: LossLogger & Partial<LaneLogger>
}

/**
 * Opens the whole storage in one directory on SQLite: `log.db` is the source of truth, `tables.db` has its folds and
 * the registry. Throws HOP_CONFIG when the directory cannot be used, HOP_DATA_DAMAGED when acknowledged or counted data
 * is missing.
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Storage> {
  const { dir, lanes, exclusive = true, acceptLoss = false, logger } = options
  ensureDirectory(dir)
  const lock = exclusive ? lockDirectory(dir) : undefined
  try {
    const id = exclusive ? ensureIntact({ dir, lanes, acceptLoss, logger }) : undefined
    const storage = open(options, id)
    return { ...storage, close: () => storage.close().finally(() => lock?.release()) }
  } catch (error) {
    lock?.release()
    throw openError(error)
  }
}

/** `id` is that of the installation, given only for the handle that has the directory to itself. */
function open({ dir, lanes, logger }: EmbeddedOptions, id: string | undefined): Storage {
  const log = new EmbeddedEventLog(dir, lanes, id, logger)
  const file = join(dir, TABLES_FILE)
  const database = openDatabase(file)
  prepareTables(database)
  const owners = new EmbeddedLanes(database, lanes)
  const archive = new EmbeddedArchive(database, file, owners, { sweeps: id !== undefined })
  const reader = new EmbeddedTableReader(file)
  const secrets = new EmbeddedSecrets(dir)
  if (id !== undefined) log.watch(new FilesInPlace([LOG_FILE, TABLES_FILE, LOCK_FILE].map((name) => join(dir, name))))
  const notes =
    id === undefined ? undefined : new TablesRecorder(dir, database, identify(database, id), () => log.endsNow())
  return {
    log,
    reader,
    lanes: owners,
    archive,
    writer: new EmbeddedTableWriter(database, owners),
    registry: registryOf((kind) => new EmbeddedCollection(database, kind), new EmbeddedClaims()),
    secrets,
    diskUse: () => measureDirectory(dir, database),
    health: async () => [health(dir, { database, log, notes })],
    scrub: () => scrub(dir, database, log),
    close: async () => {
      notes?.close()
      await log.close()
      await reader.close()
      await archive.close()
      database.close()
      secrets.close()
    },
  }
}

/**
 * Rewrites the tables, since deleted rows and chunks leave their bytes in free parts of the file. Also deletes the
 * staged copy of an interrupted rebuild, which then starts over.
 */
async function scrub(dir: string, database: DatabaseSync, log: EmbeddedEventLog): Promise<Scrubbed> {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(dir, `${REBUILD_FILE}${suffix}`), { force: true })
  database.exec('VACUUM')
  await truncateWal(database, TABLES_FILE)
  await log.scrub()
  return { keptFiles: readdirSync(dir).filter((name) => name.includes('.damaged-')) }
}

interface CheckedParts {
  readonly database: DatabaseSync
  readonly log: EmbeddedEventLog
  readonly notes: TablesRecorder | undefined
}

function health(dir: string, { database, log, notes }: CheckedParts): PartHealth {
  try {
    database.prepare('SELECT count(*) FROM lanes').get()
    const failure = log.failure ?? notes?.failure ?? log.stalled ?? refusalOf(log, dir)
    return failure ? { name: 'sqlite', healthy: false, detail: failure.message } : { name: 'sqlite', healthy: true }
  } catch (error) {
    return { name: 'sqlite', healthy: false, detail: String(error) }
  }
}

/**
 * The reason why the log accepts nothing now. No caller appends while there is one, so this probes whether the disk
 * accepts writes again.
 */
function refusalOf({ refusal }: EmbeddedEventLog, dir: string): Error | undefined {
  if (!refusal) return undefined
  try {
    probe(dir, PROBE_BYTES)
    return undefined
  } catch {
    return refusal
  }
}
