import type { Lease, TableWriter, WrittenOut } from '@hopper/storage'
import { LaneTurns, type TurnLane } from './lane-turns.ts'

export interface BackgroundWriteOutOptions {
  readonly writer: TableWriter
  readonly logger: { error(details: object, message: string): void } | undefined
  readonly wroteOut: (written: WrittenOut) => void
}

/**
 * Writes out the packed visitors of large batches of the owned lanes: one part of one lane at a time, so that batches
 * in flight keep most of the store's capacity.
 */
export function backgroundWriteOut({ writer, logger, wroteOut }: BackgroundWriteOutOptions): LaneTurns<TurnLane> {
  const writeOut = async (lease: Lease): Promise<boolean> => {
    try {
      const written = await writer.writeOut?.(lease)
      if (written) wroteOut(written)
      return written !== undefined
    } catch (error) {
      const message = 'packed visitors could not be written out and will be tried again'
      logger?.error({ lane: lease.lane, err: error }, message)
      return false
    }
  }
  return new LaneTurns((lane) => writeOut(lane.currentLease()))
}
