import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { backup } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import { openEmbedded } from './embedded.ts'
import { LOSSES_FILE } from './intact/accept-loss.ts'
import { LOG_FILE, TABLES_FILE } from './intact/find-damage.ts'
import { openError, openToInspect } from './sqlite.ts'

/** SQLite copies all pages in one step: between two steps a write of another process would start the copy again. */
const ALL_PAGES = 2 ** 31 - 1

export interface BackupOptions {
  /** the data directory of a Hopper that runs or is stopped */
  readonly dir: string
  /** the directory of the backup; must not exist or be empty */
  readonly out: string
  readonly lanes: number
  /** names of further files of the directory that belong to the backup; those that do not exist are left out */
  readonly files: readonly string[]
}

/** Contents of a backup. */
export interface BackupReport {
  readonly bytes: number
  /** messages that the log has ever had, over all lanes */
  readonly messages: number
}

/**
 * Copies a data directory while Hopper writes to it. The tables are copied before the log, each at one point of its
 * transactions (https://www.sqlite.org/backup.html), so the log of the copy has every message that its tables have
 * counted; further messages are counted when the copy is started. The copy is opened once, which checks it as every
 * start does, and appears under its name only when it is complete.
 * @throws HopperError HOP_CONFIG for a directory that cannot be used or is not empty; HOP_DATA_DAMAGED when the copy is
 * damaged, because the original is
 */
export async function backUpDirectory({ dir, out, lanes, files }: BackupOptions): Promise<BackupReport> {
  assertUsable(dir, out)
  const partial = `${resolve(out)}.partial`
  rmSync(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true, mode: 0o700 })
  try {
    for (const file of [TABLES_FILE, LOG_FILE]) await copyDatabase(join(dir, file), join(partial, file))
    for (const file of [LOSSES_FILE, ...files])
      if (existsSync(join(dir, file))) await copyFile(join(dir, file), join(partial, file))
    const messages = await check(partial, lanes)
    const bytes = readdirSync(partial).reduce((sum, name) => sum + statSync(join(partial, name)).size, 0)
    rmSync(out, { recursive: true, force: true })
    renameSync(partial, out)
    return { bytes, messages }
  } catch (error) {
    rmSync(partial, { recursive: true, force: true })
    throw openError(error)
  }
}

function assertUsable(dir: string, out: string): void {
  if (![TABLES_FILE, LOG_FILE].every((file) => existsSync(join(dir, file))))
    throw new HopperError('HOP_CONFIG', `${dir} has no ${LOG_FILE} and ${TABLES_FILE}: it is not a data directory.`)
  if (existsSync(out) && (!statSync(out).isDirectory() || readdirSync(out).length > 0))
    throw new HopperError('HOP_CONFIG', `${out} exists and is not an empty directory. Name a new one.`)
  if (!existsSync(dirname(resolve(out))))
    throw new HopperError('HOP_CONFIG', `${dirname(resolve(out))} does not exist. Create it first.`)
}

async function copyDatabase(from: string, to: string): Promise<void> {
  const source = openToInspect(from)
  try {
    await backup(source, to, { rate: ALL_PAGES })
  } finally {
    source.close()
  }
}

/** Opens the copy, which refuses one that lacks anything, and counts the messages of its log. */
async function check(dir: string, lanes: number): Promise<number> {
  const storage = await openEmbedded({ dir, lanes })
  try {
    const ends = await storage.log.ends()
    return ends.reduce((sum, end) => sum + end, 0)
  } finally {
    await storage.close()
  }
}
