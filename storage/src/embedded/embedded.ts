import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import type { Storage } from '../ports/storage.ts'
import { registryOf } from '../registry-of.ts'
import { EmbeddedArchive } from './archive.ts'
import { lockDirectory } from './directory-lock.ts'
import { EmbeddedEventLog } from './event-log.ts'
import { EmbeddedLanes } from './lanes.ts'
import { EmbeddedCollection } from './collection.ts'
import { openDatabase } from './sqlite.ts'
import { EmbeddedTableReader } from './table-reader.ts'
import { prepareTables } from './table-schema.ts'
import { EmbeddedTableWriter } from './table-writer.ts'

export { clearFolds } from './clear-folds.ts'

export interface EmbeddedOptions {
  /** the data directory; made when it is missing */
  readonly dir: string
  /** number of lanes; fixed when the directory is created */
  readonly lanes: number
  /** false for a further thread of the process that has the directory */
  readonly exclusive?: boolean
}

/** The whole storage in one directory on SQLite: `log.db` is the truth, `tables.db` its folds and the registry. Throws HOP_CONFIG when it can not be had. */
export async function openEmbedded({ dir, lanes, exclusive = true }: EmbeddedOptions): Promise<Storage> {
  makeDirectory(dir)
  const lock = exclusive ? lockDirectory(dir) : undefined
  try {
    const log = new EmbeddedEventLog(dir, lanes)
    const file = join(dir, 'tables.db')
    const database = openDatabase(file)
    prepareTables(database)
    const owners = new EmbeddedLanes(database, lanes)
    const archive = new EmbeddedArchive(database, file, owners, { sweeps: exclusive })
    const reader = new EmbeddedTableReader(file)
    return {
      log, reader, lanes: owners, archive,
      writer: new EmbeddedTableWriter(database, owners),
      registry: registryOf((kind) => new EmbeddedCollection(database, kind)),
      health: async () => [health(database, log)],
      close: async () => {
        await log.close()
        await reader.close()
        await archive.close()
        database.close()
        lock?.release()
      },
    }
  } catch (error) {
    lock?.release()
    throw error
  }
}

function health(database: DatabaseSync, log: EmbeddedEventLog): { name: string; healthy: boolean; detail?: string } {
  try {
    database.prepare('SELECT count(*) FROM lanes').get()
    return log.failure ? { name: 'sqlite', healthy: false, detail: log.failure.message } : { name: 'sqlite', healthy: true }
  } catch (error) {
    return { name: 'sqlite', healthy: false, detail: String(error) }
  }
}

function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true })
  } catch (cause) {
    throw new HopperError('HOP_CONFIG', `The data directory ${dir} can not be made.`, { cause })
  }
}
