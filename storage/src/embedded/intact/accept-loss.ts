import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import type { LanePositions, PositionRange } from '../../position-range.ts'
import { clearAll } from '../tables/clear-folds.ts'
import { identify, prepareLog } from '../log/log-schema.ts'
import { openDatabase, transaction } from '../sqlite.ts'
import { prepareTables } from '../tables/table-schema.ts'
import {
  findDamage,
  findLogDamage,
  lossesToAccept,
  LOG_FILE,
  LOG_RECORD,
  RECORDS,
  TABLES_FILE,
  TABLES_RECORD,
  type Damage,
  type Findings,
} from './find-damage.ts'
import { salvageLog, salvageRegistry } from './salvage.ts'

/** The file that records accepted losses, one JSON object per line. */
export const LOSSES_FILE = 'losses.jsonl'

/** Logs losses. */
export interface LossLogger {
  warn(details: object, message: string): void
}

export interface IntactOptions {
  readonly dir: string
  readonly lanes: number
  /** continues without lost data and records the loss */
  readonly acceptLoss: boolean
  readonly logger: LossLogger | undefined
}

/**
 * Checks that a data directory contains everything that was acknowledged and counted. Returns the id of its
 * installation.
 * @throws HopperError HOP_DATA_DAMAGED when data is missing and the loss is not accepted
 */
export function ensureIntact(options: IntactOptions): string {
  return ensure(options, () => findDamage(options.dir, options.lanes))
}

/** The same check for a directory that has only a log, as the spool has. */
export function ensureLogIntact(options: IntactOptions): string {
  return ensure(options, () => findLogDamage(options.dir, options.lanes))
}

/**
 * Throws HOP_DATA_DAMAGED when the log of a data directory lacks messages. For directories whose tables are about to be
 * rebuilt. Changes nothing.
 */
export function assertLogIntact(dir: string, lanes: number): void {
  const damages = findDamage(dir, lanes).damages.filter(({ file }) => file === LOG_FILE)
  if (damages.length > 0) throw damageError(dir, damages)
}

function ensure(options: IntactOptions, find: () => Findings): string {
  const { dir, acceptLoss } = options
  const findings = find()
  if (findings.damages.length === 0) {
    const id = findings.id ?? randomUUID()
    if (findings.beyond.length > 0) skipBeyondLog(options, id, findings.beyond)
    return id
  }
  if (!acceptLoss || findings.damages.some(({ kind }) => kind === 'ambiguous')) throw damageError(dir, findings.damages)
  return accept(options, findings, find)
}

/** Skips positions up to watermarks beyond the log: otherwise the next messages would be considered counted. */
function skipBeyondLog({ dir, lanes, logger }: IntactOptions, id: string, beyond: Findings['beyond']): void {
  recordLosses(dir, lanes, id, () => beyond)
  logger?.warn(
    { positions: beyond },
    'tables have watermarks beyond the log, which has lost nothing: ' +
      'these positions are skipped; run "hopper audit"',
  )
}

function damageError(dir: string, damages: readonly Damage[]): HopperError {
  return new HopperError('HOP_DATA_DAMAGED', `In ${dir}: ${damages.map(({ what }) => what).join('; ')}.`, {
    details: damages,
  })
}

/** Replaces broken files by their readable content, then records every position that is still missing as lost. */
function accept({ dir, lanes, logger }: IntactOptions, found: Findings, find: () => Findings): string {
  const id = found.id ?? randomUUID()
  const aside = `damaged-${new Date().toISOString().replace(/[:.]/g, '')}`
  const kinds = (file: string): Damage['kind'][] =>
    found.damages.filter((damage) => damage.file === file).map(({ kind }) => kind)
  const [logKinds, tablesKinds] = [kinds(LOG_FILE), kinds(TABLES_FILE)]
  appendLoss(dir, { at: new Date().toISOString(), accepted: found.damages }, logger, found.damages)
  if (logKinds.some((kind) => kind === 'broken' || kind === 'foreign')) {
    replaceFile(
      dir,
      LOG_FILE,
      aside,
      logKinds.includes('broken') ? (from, to) => salvageLog(from, to, lanes, id) : undefined,
    )
  }
  if (tablesKinds.some((kind) => kind === 'broken' || kind === 'foreign')) {
    replaceFile(
      dir,
      TABLES_FILE,
      aside,
      tablesKinds.includes('broken') ? (from, to) => salvageRegistry(from, to, id) : undefined,
    )
  }
  if (kinds(RECORDS).length > 0)
    for (const file of [LOG_RECORD, TABLES_RECORD]) rmSync(join(dir, file), { force: true })
  const left = find()
  recordMissing(dir, lanes, id, left, logger)
  if (tablesKinds.length > 0) recreateTables(dir, id, found)
  return id
}

/**
 * Records the losses in the log, so that no later message gets a lost position: a position that was counted must not be
 * used again.
 */
function recordMissing(dir: string, lanes: number, id: string, left: Findings, logger: LossLogger | undefined): void {
  const lost = recordLosses(dir, lanes, id, (database) =>
    Array.from({ length: lanes }, (_, lane) =>
      [...lossesToAccept(lane, left), ...dropSpoiled(database, lane, left.spoiled[lane]!)].map((range) => ({
        lane,
        ...range,
      })),
    ).flat(),
  )
  if (lost.length > 0) appendLoss(dir, { at: new Date().toISOString(), lost }, logger, lost)
}

/** Records positions of the log as lost, in one transaction, and returns them. */
function recordLosses(
  dir: string,
  lanes: number,
  id: string,
  losses: (database: DatabaseSync) => readonly LanePositions[],
): readonly LanePositions[] {
  const database = openDatabase(join(dir, LOG_FILE))
  try {
    return transaction(database, () => {
      prepareLog(database, lanes)
      identify(database, id)
      const lost = losses(database)
      const record = database.prepare('INSERT INTO losses VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING')
      for (const { lane, first, next } of lost) record.run(lane, first, next, Date.now())
      return lost
    })
  } finally {
    database.close()
  }
}

function dropSpoiled(database: DatabaseSync, lane: number, firsts: readonly number[]): PositionRange[] {
  const read = database.prepare(`SELECT count FROM lane_${lane} WHERE first = ?`)
  const drop = database.prepare(`DELETE FROM lane_${lane} WHERE first = ?`)
  return firsts.map((first) => {
    const { count } = read.get(first) as { count: number }
    drop.run(first)
    return { first, next: first + count }
  })
}

/**
 * Creates lost tables again; they are then counted from the log. A lost archive stays lost if the log cannot restore it
 * either.
 */
function recreateTables(dir: string, id: string, { damages, log, tables }: Findings): void {
  const database = openDatabase(join(dir, TABLES_FILE))
  try {
    transaction(database, () => {
      prepareTables(database)
      identify(database, id)
      if (!damages.some(({ kind }) => kind === 'archive')) return
      // A complete log restores the archive: everything is counted and archived again.
      if (!log.hasLosses && damages.every(({ file }) => file === TABLES_FILE)) return clearAll(database)
      const mark = database.prepare(`INSERT INTO archive_losses SELECT lane, position FROM lanes WHERE lane = ?
        ON CONFLICT DO UPDATE SET position = excluded.position`)
      for (const lane of tables.withoutArchive) mark.run(lane)
    })
  } finally {
    database.close()
  }
  // The record describes the former state of the tables, which no longer applies.
  rmSync(join(dir, TABLES_RECORD), { force: true })
}

/**
 * Replaces a database by what `salvage` can read of it. The database itself and its write-ahead log are renamed: no
 * data is thrown away.
 */
function replaceFile(
  dir: string,
  file: string,
  name: string,
  salvage: ((from: string, to: string) => void) | undefined,
): void {
  const [path, salvaged] = [join(dir, file), join(dir, `${file}.salvaged`)]
  for (const suffix of ['', '-wal', '-shm']) rmSync(salvaged + suffix, { force: true })
  salvage?.(path, salvaged)
  for (const suffix of ['', '-wal'])
    if (existsSync(path + suffix)) renameSync(path + suffix, `${path}.${name}${suffix}`)
  rmSync(`${path}-shm`, { force: true })
  if (salvage) renameSync(salvaged, path)
}

function appendLoss(dir: string, line: object, logger: LossLogger | undefined, details: unknown): void {
  const file = join(dir, LOSSES_FILE)
  const descriptor = openSync(file, 'a', 0o600)
  try {
    writeSync(descriptor, `${JSON.stringify(line)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  logger?.warn({ file, losses: details }, 'a loss was accepted by --accept-loss')
}
