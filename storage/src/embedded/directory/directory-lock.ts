import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'

/** The right of one process to a data directory. The system frees it when the process ends, however it ends. */
export interface DirectoryLock {
  release(): void
}

export const LOCK_FILE = 'lock.db'
/** what SQLite says when another process holds the transaction */
const SQLITE_BUSY = 5

/** Takes the directory, or throws HOP_CONFIG when another process has it. */
export function lockDirectory(dir: string): DirectoryLock {
  const lock = tryLockDirectory(dir)
  if (!lock) throw new HopperError('HOP_CONFIG', `The data directory ${dir} is in use by another Hopper.`)
  return lock
}

/**
 * Takes the directory, unless another process has it: a transaction held open, so no stale file can ever block a start.
 */
export function tryLockDirectory(dir: string): DirectoryLock | undefined {
  let database: DatabaseSync | undefined
  try {
    const opened = (database = new DatabaseSync(join(dir, LOCK_FILE), { timeout: 0 }))
    opened.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
    return { release: () => opened.close() }
  } catch (cause) {
    database?.close()
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw new HopperError('HOP_CONFIG', `${join(dir, LOCK_FILE)} cannot be locked: ${(cause as Error).message}.`, {
      cause,
    })
  }
}
