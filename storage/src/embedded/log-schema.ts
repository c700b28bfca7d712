import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'

/**
 * One table for each lane, so that a lane is read and appended in the order of its pages; a row is a block of messages (see `block.ts`) by the position
 * of its first. The number of lanes is fixed with the directory.
 */
export function prepareLog(database: DatabaseSync, lanes: number): void {
  database.exec('CREATE TABLE IF NOT EXISTS log (lanes INTEGER NOT NULL)')
  const found = database.prepare('SELECT lanes FROM log').get() as { lanes: number } | undefined
  if (found && found.lanes !== lanes) {
    throw new HopperError('HOP_CONFIG', `This data directory has ${found.lanes} lanes, the settings say ${lanes}; the number is fixed for ever.`)
  }
  if (!found) database.prepare('INSERT INTO log VALUES (?)').run(lanes)
  for (let lane = 0; lane < lanes; lane++) {
    database.exec(`CREATE TABLE IF NOT EXISTS lane_${lane} (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, block BLOB NOT NULL)`)
  }
}

/** The position that the next message of a lane gets. */
export function nextPosition(database: DatabaseSync, lane: number): number {
  const row = database.prepare(`SELECT first + count AS next FROM lane_${lane} ORDER BY first DESC LIMIT 1`).get() as { next: number } | undefined
  return row?.next ?? 0
}
