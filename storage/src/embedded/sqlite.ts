import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { HopperError } from '@hopper/contracts'

/** Time that a statement waits for another thread's write. */
const BUSY_MS = 30_000
/** The same during a start, when no thread of this process writes. */
const INSPECT_BUSY_MS = 2_000
/** SQLite's result codes, the low byte of `errcode`. */
const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

const damageCodes: readonly number[] = [CORRUPT, NOT_A_DATABASE]
const unusableCodes: readonly number[] = [BUSY, READ_ONLY, IO_ERROR, FULL, CANNOT_OPEN]

/** A database whose errors name its file. */
class LocatedDatabase extends DatabaseSync {
  readonly #file: string

  constructor(file: string, options: { timeout: number; readOnly?: boolean }) {
    super(file, options)
    this.#file = file
  }

  override exec(sql: string): void {
    this.#locating(() => super.exec(sql))
  }

  override prepare(sql: string): StatementSync {
    const statement = this.#locating(() => super.prepare(sql))
    const iterate = statement.iterate.bind(statement) as (
      ...values: SQLInputValue[]
    ) => ReturnType<StatementSync['iterate']>
    statement.get = this.#wrapped(statement.get.bind(statement))
    statement.all = this.#wrapped(statement.all.bind(statement))
    statement.run = this.#wrapped(statement.run.bind(statement))
    const file = this.#file
    statement.iterate = function* (...values: SQLInputValue[]) {
      try {
        yield* iterate(...values)
      } catch (error) {
        throw withFileName(error, file)
      }
    } as StatementSync['iterate']
    return statement
  }

  /** Wraps a function so that its errors name the file. */
  #wrapped<F extends (...values: SQLInputValue[]) => unknown>(call: F): F {
    const file = this.#file
    return ((...values: SQLInputValue[]) => {
      try {
        return call(...values)
      } catch (error) {
        throw withFileName(error, file)
      }
    }) as F
  }

  #locating<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw withFileName(error, this.#file)
    }
  }
}

/** Adds the file to the message of an SQLite error; returns other errors unchanged. */
function withFileName(error: unknown, file: string): unknown {
  if (error instanceof Error && codeOf(error) !== undefined && !error.message.startsWith(file))
    error.message = `${file}: ${error.message}`
  return error
}

function codeOf(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: number }
  return typeof errcode === 'number' ? errcode & 0xff : undefined
}

/** True if SQLite found the content of a file corrupt. */
export function isDamage(error: unknown): error is Error {
  return error instanceof Error && damageCodes.includes(codeOf(error) ?? 0)
}

/**
 * Opens a database: write-ahead log, every commit synced, waits for another thread's write. Its errors name the file.
 */
export function openDatabase(file: string): DatabaseSync {
  const database = open(file, { timeout: BUSY_MS })
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens a small database, of which no copy of an old page may stay in a write-ahead log. Every commit is synced. */
export function openSmallDatabase(file: string): DatabaseSync {
  const database = open(file, { timeout: BUSY_MS })
  try {
    database.exec('PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = FULL')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens a database read-only to inspect it. Changes nothing, not even the write-ahead log. */
export function openToInspect(file: string): DatabaseSync {
  return open(file, { timeout: INSPECT_BUSY_MS, readOnly: true })
}

const WAL_TRIES = 200
const WAL_PAUSE_MS = 50

/**
 * Moves the whole write-ahead log into the database and truncates it: it has older versions of pages. Waits for readers
 * that are in the way.
 * @throws HopperError HOP_STORE_UNAVAILABLE when they do not end
 */
export async function truncateWal(database: DatabaseSync, file: string): Promise<void> {
  for (let tries = 0; tries < WAL_TRIES; tries++) {
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
    if (busy === 0) return
    await pause(WAL_PAUSE_MS)
  }
  throw new HopperError('HOP_STORE_UNAVAILABLE', `The write-ahead log of ${file} is in use all the time.`)
}

function open(file: string, options: { timeout: number; readOnly?: boolean }): DatabaseSync {
  try {
    return new LocatedDatabase(file, options)
  } catch (error) {
    throw withFileName(error, file)
  }
}

/** Maps an error of opening a database to a HopperError: the file is damaged, or cannot be used. */
export function openError(error: unknown): unknown {
  if (isDamage(error)) return new HopperError('HOP_DATA_DAMAGED', `${error.message}.`, { cause: error })
  if (!unusableCodes.includes(codeOf(error) ?? 0)) return error
  return new HopperError('HOP_CONFIG', `${(error as Error).message}.`, { cause: error })
}

/** Runs `work` in one transaction. An error rolls it back and is rethrown. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
