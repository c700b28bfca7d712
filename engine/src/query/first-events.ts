import type { ArchivedEvent, EventRow, Value } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { chunkRowReader } from '../chunk/chunk-rows.ts'
import { keyColumn } from '../filter/key-column.ts'

interface Candidate {
  readonly time: number
  readonly lane: number
  readonly position: number
  readonly index: number
  readonly row: EventRow
}

/** Keeps the earliest `limit` events (by timestamp, then place in the log), as rows of a table. */
export class FirstEvents {
  readonly #limit: number
  readonly #keys: readonly string[] | undefined
  #candidates: Candidate[] = []
  #bound = Infinity

  constructor(limit: number, keys: readonly string[] | undefined) {
    this.#limit = limit
    this.#keys = keys
  }

  /** Creates the collector of a chunk, to be called for each matching row. */
  collector(chunk: Chunk): (row: number) => void {
    const times = chunk.times()
    const read = this.#keys ? keysReader(chunk, this.#keys) : eventReader(chunk)
    return (row) => {
      const time = times[row]!
      if (time > this.#bound) return
      this.#candidates.push({
        time,
        lane: chunk.summary.lane,
        position: chunk.numbers('position')[row]!,
        index: chunk.numbers('index')[row]!,
        row: read(row),
      })
      if (this.#candidates.length >= this.#limit * 2 + 64) this.#truncate()
    }
  }

  rows(): EventRow[] {
    this.#truncate()
    return this.#candidates.map((candidate) => candidate.row)
  }

  #truncate(): void {
    this.#candidates.sort((a, b) => a.time - b.time || a.lane - b.lane || a.position - b.position || a.index - b.index)
    this.#candidates = this.#candidates.slice(0, this.#limit)
    if (this.#candidates.length === this.#limit) this.#bound = this.#candidates.at(-1)!.time
  }
}

function eventReader(chunk: Chunk): (row: number) => EventRow {
  const read = chunkRowReader(chunk)
  return (row) => eventRow(read(row))
}

/** Converts an event to a row of the table view. */
export function eventRow({ event, device_id, user, received_at }: ArchivedEvent): EventRow {
  return { ...event, device_id, ...(user === '' ? {} : { user }), received_at }
}

function keysReader(chunk: Chunk, keys: readonly string[]): (row: number) => EventRow {
  const columns = keys.map((key) => [key, keyColumn(chunk, key)] as const)
  return (row) =>
    Object.fromEntries(
      columns.flatMap(([key, column]): [string, Value][] => {
        const value = column ? column.values[column.codes[row]!]! : null
        return value === null ? [] : [[key, value]]
      }),
    )
}
