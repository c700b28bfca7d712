import type { ArchivedEvent, ChunkSummary } from '@hopper/contracts'
import { chunkRowReader } from '../chunk/chunk-rows.ts'
import type { Chunk } from '../chunk/chunk.ts'
import type { ExportRange } from '../export/exported-event.ts'
import { hashText, REST_BITS } from '../chunk/device-order.ts'
import type { DeviceKey } from '../people/people.ts'

const REST = 1 << REST_BITS
const LOW_KEYS = 2 ** (32 - REST_BITS)

/** Returns the lower half of a device's hash, which determines its lane. */
export function lowHalf({ key, rest }: DeviceKey): number {
  return (key % LOW_KEYS) * REST + rest
}

/** Returns the hash of a device as in the summary of a chunk. */
export function hashOfDevice(device: DeviceKey): string {
  return hashText(Math.floor(device.key / LOW_KEYS), lowHalf(device))
}

/** Returns whether a chunk can have events of a device, according to its summary. */
export function mayHave(summary: ChunkSummary, device: DeviceKey): boolean {
  const text = hashOfDevice(device)
  return summary.first_device <= text && text <= summary.last_device
}

/** Finds the run of a device in a chunk, -1 if there is none. Needs the column `runs`. */
export function runOfDevice(chunk: Chunk, { key, rest }: DeviceKey): number {
  const { keys, rests } = chunk.runs()
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key || (keys[middle] === key && rests[middle]! < rest)) low = middle + 1
    else high = middle
  }
  return keys[low] === key && rests[low] === rest ? low : -1
}

/**
 * Reads the events of a run that are in a range and belong to a wanted user ('' = anonymous). All columns of the chunk
 * must be loaded.
 */
export function eventsOfRun(
  chunk: Chunk,
  run: number,
  { from, to }: ExportRange,
  isWanted: (user: string) => boolean,
): ArchivedEvent[] {
  const { starts } = chunk.runs()
  const times = chunk.times()
  const users = chunk.values('user')
  const isWantedByCode = users?.values.map((user) => isWanted(String(user ?? ''))) ?? [isWanted('')]
  const read = chunkRowReader(chunk)
  const events: ArchivedEvent[] = []
  for (let row = starts[run]!; row < starts[run + 1]!; row++) {
    if (times[row]! >= from && times[row]! < to && isWantedByCode[users ? users.codes[row]! : 0]) events.push(read(row))
  }
  return events
}
