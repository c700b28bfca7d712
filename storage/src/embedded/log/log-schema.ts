import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'
import type { PositionRange } from '../../position-range.ts'

/**
 * Creates the tables of a log: one per lane, so that a lane is read and appended in the order of its pages. A row is a
 * block of messages (see `block.ts`), keyed by the position of the first. The number of lanes is fixed with the
 * directory.
 * Positions of a lane have no gaps except accepted losses, which are in `losses`. `starts` has the first position of
 * lanes whose beginning was deleted on purpose.
 */
export function prepareLog(database: DatabaseSync, lanes: number): void {
  database.exec('CREATE TABLE IF NOT EXISTS log (lanes INTEGER NOT NULL)')
  const found = lanesOf(database)
  if (found !== undefined && found !== lanes) throw wrongLanes(found, lanes)
  if (found === undefined) database.prepare('INSERT INTO log VALUES (?)').run(lanes)
  for (let lane = 0; lane < lanes; lane++) {
    database.exec(
      `CREATE TABLE IF NOT EXISTS lane_${lane} (` +
        'first INTEGER PRIMARY KEY, count INTEGER NOT NULL, block BLOB NOT NULL)',
    )
  }
  database.exec(`
    CREATE TABLE IF NOT EXISTS losses (
      lane INTEGER NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL, at INTEGER NOT NULL,
      PRIMARY KEY (lane, first, next)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS starts (lane INTEGER PRIMARY KEY, position INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS installation (id TEXT NOT NULL);
  `)
}

/** Returns the error HOP_CONFIG for settings with a different number of lanes than the directory. */
export function wrongLanes(found: number, lanes: number): HopperError {
  return new HopperError(
    'HOP_CONFIG',
    `This data directory has ${found} lanes, the settings say ${lanes}; the number cannot be changed.`,
  )
}

/** The number of lanes with which a log was created. */
export function lanesOf(database: DatabaseSync): number | undefined {
  return (database.prepare('SELECT lanes FROM log').get() as { lanes: number } | undefined)?.lanes
}

/** Gives the database an id unless it has one. Returns its id. */
export function identify(database: DatabaseSync, id: string): string {
  const found = database.prepare('SELECT id FROM installation').get() as { id: string } | undefined
  if (!found) database.prepare('INSERT INTO installation VALUES (?)').run(id)
  return found?.id ?? id
}

/** The position after the last message of a lane. */
export function endOf(database: DatabaseSync, lane: number): number {
  const row = database.prepare(`SELECT first + count AS next FROM lane_${lane} ORDER BY first DESC LIMIT 1`).get() as
    { next: number } | undefined
  return row?.next ?? 0
}

/**
 * The position that the next message of a lane gets: after all messages that the lane has, had, or is known to have
 * lost.
 */
export function nextPosition(database: DatabaseSync, lane: number): number {
  return Math.max(endOf(database, lane), startOf(database, lane), ...lossesOf(database, lane).map(({ next }) => next))
}

/** The first position that was not deleted on purpose. */
export function startOf(database: DatabaseSync, lane: number): number {
  const row = database.prepare('SELECT position FROM starts WHERE lane = ?').get(lane) as
    { position: number } | undefined
  return row?.position ?? 0
}

/** The known losses of a lane, ascending, without overlaps. */
export function lossesOf(database: DatabaseSync, lane: number): PositionRange[] {
  const rows = database
    .prepare('SELECT first, next FROM losses WHERE lane = ? ORDER BY first, next')
    .all(lane) as unknown as PositionRange[]
  const merged: { first: number; next: number }[] = []
  for (const { first, next } of rows) {
    const last = merged.at(-1)
    if (last && first <= last.next) last.next = Math.max(last.next, next)
    else merged.push({ first, next })
  }
  return merged
}

/** The parts of a range that are in none of the losses, ascending. */
export function subtractLosses(range: PositionRange, losses: readonly PositionRange[]): PositionRange[] {
  const left: PositionRange[] = []
  let { first } = range
  for (const loss of losses) {
    if (loss.next <= first || loss.first >= range.next) continue
    if (loss.first > first) left.push({ first, next: loss.first })
    first = Math.max(first, loss.next)
  }
  return first < range.next ? [...left, { first, next: range.next }] : left
}
