import { HopperError } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'

/**
 * Throws HOP_CONFIG when a lane of the log has lost its beginning, because the tables' share of it could not be
 * recounted.
 */
export async function assertWholeLog(log: EventLog): Promise<void> {
  for (let lane = 0; lane < log.lanes; lane++) {
    const [first] = await log.read(lane, 0, 1)
    if (first && first.position > 0) {
      const start = `The log of lane ${lane} begins at position ${first.position}`
      const lost = `${start}: the messages before it cannot be recounted.`
      throw new HopperError('HOP_CONFIG', `${lost} "hopper audit --repair" corrects the tables from the archive.`)
    }
  }
}
