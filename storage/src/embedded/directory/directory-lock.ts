import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'

/** The exclusive right of one process to a data directory. The system releases it when the process ends in any way. */
export interface DirectoryLock {
  release(): void
}

export const LOCK_FILE = 'lock.db'
/** SQLite's error code when another process holds the transaction */
const SQLITE_BUSY = 5

/** Locks the directory. Throws HOP_CONFIG when another process has it. */
export function lockDirectory(dir: string): DirectoryLock {
  const lock = tryLockDirectory(dir)
  if (!lock)
    throw new HopperError(
      'HOP_CONFIG',
      `The data directory ${dir} is in use by another Hopper; stop it first, or name another.`,
    )
  return lock
}

/**
 * Locks the directory unless another process has it. The lock is an open transaction, so a stale file can never block a
 * start.
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
