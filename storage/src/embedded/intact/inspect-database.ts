import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import { openError } from '../sqlite.ts'

export function hasTable(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined
}

/** The id of the installation that a database belongs to; undefined if it has none yet. */
export function idOf(database: DatabaseSync): string | undefined {
  if (!hasTable(database, 'installation')) return undefined
  return (database.prepare('SELECT id FROM installation').get() as { id: string } | undefined)?.id
}

/** Throws when the pages of the database are inconsistent. */
export function quickCheck(database: DatabaseSync): void {
  const { quick_check: found } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
  if (found !== 'ok') throw new Error(found.replaceAll('\n', ' ').trim())
}

/**
 * The reason why a database cannot be read. Rethrows errors that are not about its content, but the fault of a setting
 * or the machine.
 */
export function corruptionReason(error: unknown): string {
  const described = error instanceof HopperError ? error : openError(error)
  if (described instanceof HopperError && described.code === 'HOP_CONFIG') throw described
  return error instanceof Error ? error.message : String(error)
}
