import type { DatabaseSync } from 'node:sqlite'
import { HopperError } from '@hopper/contracts'

/** One table for each lane, so that a lane is read and appended in the order of its pages. The number of lanes is fixed with the directory. */
export function prepareLog(database: DatabaseSync, lanes: number): void {
  database.exec('CREATE TABLE IF NOT EXISTS log (lanes INTEGER NOT NULL)')
  const found = database.prepare('SELECT lanes FROM log').get() as { lanes: number } | undefined
  if (found && found.lanes !== lanes) {
    throw new HopperError('HOP_CONFIG', `This data directory has ${found.lanes} lanes, the settings say ${lanes}; the number is fixed for ever.`)
  }
  if (!found) database.prepare('INSERT INTO log VALUES (?)').run(lanes)
  for (let lane = 0; lane < lanes; lane++) {
    database.exec(`CREATE TABLE IF NOT EXISTS lane_${lane} (position INTEGER PRIMARY KEY, value BLOB NOT NULL)`)
  }
}
