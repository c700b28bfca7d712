import type { ArchivedEvent } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { chunkRowReader } from '../chunk/chunk-rows.ts'

/** An event as it is handed out, with the lane that its position belongs to. */
export interface ExportedEvent extends ArchivedEvent {
  readonly lane: number
}

/** Events from `from` on, before `to`, both in ms since the epoch. */
export interface ExportRange {
  readonly from: number
  readonly to: number
}

/**
 * The events of a chunk that lie in the range, read one by one from a row on, so that a large chunk never stands in
 * memory as rows. `place` follows.
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
