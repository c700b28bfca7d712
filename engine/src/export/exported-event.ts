import type { ArchivedEvent } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { chunkRowReader } from '../chunk/chunk-rows.ts'

/** An event as exported, with the lane that its position belongs to. */
export interface ExportedEvent extends ArchivedEvent {
  readonly lane: number
}

/** A range of timestamps: `from` inclusive, `to` exclusive, both in ms since the epoch. */
export interface ExportRange {
  readonly from: number
  readonly to: number
}

/**
 * Yields the events of a chunk that are in the range, starting at `place.row`. Events are read one by one, so that a
 * large chunk is never in memory as rows. `place` is advanced with every row.
 */
export function* eventsOfChunk(chunk: Chunk, { from, to }: ExportRange, place = { row: 0 }): Generator<ExportedEvent> {
  const times = chunk.times()
  const read = chunkRowReader(chunk)
  const { lane } = chunk.summary
  while (place.row < times.length) {
    const row = place.row++
    if (times[row]! >= from && times[row]! < to) yield { ...read(row), lane }
  }
}
