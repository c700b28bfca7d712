import type { ArchivedEvent, Context, Event, Value } from '@hopper/contracts'
import type { Chunk, ValueColumn } from './chunk.ts'
import { contextColumns, DATA_PREFIX, eventColumns } from './event-keys.ts'
import { idAt } from './ids.ts'

/** Reads whole events one by one, by their row in the chunk: for the table view, export and recount. */
export function chunkRowReader(chunk: Chunk): (row: number) => ArchivedEvent {
  const columns = new Map(chunk.valueColumns().map((name): [string, ValueColumn] => [name, chunk.values(name)!]))
  const names = [...columns.keys()]
  const dataColumns = names.filter((name) => name.startsWith(DATA_PREFIX))
  const utmColumns = names.filter((name) => name.startsWith('utm_'))
  const { starts } = chunk.runs()
  const [eventIds, deviceIds, times] = [chunk.eventIds(), chunk.deviceIds(), chunk.times()]
  const [seq, receivedAt, position, index] = [
    chunk.numbers('seq'),
    chunk.numbers('received_at'),
    chunk.numbers('position'),
    chunk.numbers('index'),
  ]
  const at = (name: string, row: number): Value | null => {
    const column = columns.get(name)
    return column ? column.values[column.codes[row]!]! : null
  }
  const pick = (from: readonly string[], row: number, prefix = ''): Record<string, Value> =>
    Object.fromEntries(
      from.flatMap((name) => {
        const value = at(name, row)
        return value === null ? [] : [[name.slice(prefix.length), value]]
      }),
    )
  const rare = spilledReader(chunk)
  return (row) => {
    const free = rare?.(row) ?? []
    const data = { ...pick(dataColumns, row, DATA_PREFIX), ...pickPrefixed(free, DATA_PREFIX, DATA_PREFIX.length) }
    const utm = { ...pick(utmColumns, row), ...pickPrefixed(free, 'utm_', 0) } as Record<string, string>
    return {
      event: {
        event_id: idAt(eventIds, row),
        timestamp: times[row]!,
        seq: seq[row]!,
        ...pick(eventColumns, row),
        ...(Object.keys(data).length > 0 ? { data } : {}),
      } as Event,
      device_id: idAt(deviceIds, runOf(starts, row)),
      user: String(at('user', row) ?? ''),
      context: { ...pick(contextColumns, row), ...(Object.keys(utm).length > 0 ? { utm } : {}) } as unknown as Context,
      received_at: receivedAt[row]!,
      position: position[row]!,
      index: index[row]!,
    }
  }
}

/** Reads the `data` of events one by one. Needs the columns of all keys of `data`, and those of spilled keys. */
export function dataReader(chunk: Chunk): (row: number) => [key: string, value: Value][] {
  const columns = chunk
    .valueColumns()
    .filter((name) => name.startsWith(DATA_PREFIX))
    .map((name) => ({ name: name.slice(DATA_PREFIX.length), column: chunk.values(name)! }))
  const rare = spilledReader(chunk)
  return (row) => [
    ...columns.flatMap(({ name, column }): [string, Value][] => {
      const value = column.values[column.codes[row]!]!
      return value === null ? [] : [[name, value]]
    }),
    ...(rare?.(row) ?? []).flatMap(([name, value]): [string, Value][] =>
      name.startsWith(DATA_PREFIX) ? [[name.slice(DATA_PREFIX.length), value]] : [],
    ),
  ]
}

/** Reads the values of a row's spilled keys; undefined when the chunk has none. */
function spilledReader(chunk: Chunk): ((row: number) => [column: string, value: Value][]) | undefined {
  const [keys, byRow, all] = [chunk.spilledKeys(), chunk.spilledByRow(), chunk.spilled()]
  if (!keys || !byRow || !all) return undefined
  return (row) => {
    const found: [string, Value][] = []
    for (let index = row === 0 ? 0 : byRow.ends[row - 1]!; index < byRow.ends[row]!; index++) {
      found.push([keys.names[byRow.keys[index]!]!, all.values[all.codes[byRow.entries[index]!]!] as Value])
    }
    return found
  }
}

function pickPrefixed(
  entries: readonly (readonly [string, Value])[],
  prefix: string,
  cut: number,
): Record<string, Value> {
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(cut), value]] : [])),
  )
}

/** Reads all events of a chunk. */
export function chunkRows(chunk: Chunk): ArchivedEvent[] {
  return Array.from({ length: chunk.summary.rows }, (_, row) => row).map(chunkRowReader(chunk))
}

/** Finds the run that a row belongs to. */
export function runOf(starts: Uint32Array, row: number): number {
  let low = 0
  let high = starts.length - 2
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (starts[middle]! <= row) low = middle
    else high = middle - 1
  }
  return low
}
