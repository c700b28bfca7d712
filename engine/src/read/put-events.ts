import { limits, type ChunkSummary } from '@hopper/contracts'
import type { Chunk } from '../chunk/chunk.ts'
import { idAt } from '../chunk/ids.ts'
import { clustersOf, endOfPlaces } from './log-page.ts'

/** The columns that `putPlaces` reads. */
export const putPlaceColumns = ['runs', 'timestamp', 'received_at', 'position', 'index', 'payload'] as const
/** The columns that `putReader` reads. */
export const putColumns = ['runs', 'event_id', 'timestamp', 'name', 'payload', 'timestamp_ns'] as const

/** An event that came by `PUT /events`, as it was sent. */
export interface PutEvent {
  readonly event_id: string
  /** ms since the epoch */
  readonly timestamp: number
  /** ns since the epoch, if it was sent so */
  readonly timestamp_ns?: string | undefined
  readonly name: string
  /** JSON text */
  readonly payload: string
}

/** The put events of a chunk by their places in the lane, ascending. */
export interface PutPlaces {
  readonly places: Float64Array
  /** times of receipt, ms since the epoch */
  readonly received: Float64Array
  readonly rows: Uint32Array
}

/** Returns whether any event of a chunk came by `PUT /events`. */
export function hasPuts({ columns }: ChunkSummary): boolean {
  return Object.hasOwn(columns, 'payload')
}

/** Finds the put events of a chunk, in the order of their places. */
export function putPlaces(chunk: Chunk): PutPlaces {
  const payloads = chunk.texts('payload')
  const [positions, indexes] = [chunk.numbers('position'), chunk.numbers('index')]
  const receivedAt = chunk.numbers('received_at')
  const placeOf = (row: number): number => positions[row]! * limits.eventsPerBatchMax + indexes[row]!
  const rows = Uint32Array.from(
    Array.from(positions.keys())
      .filter((row) => payloads?.has(row))
      .sort((a, b) => placeOf(a) - placeOf(b)),
  )
  return {
    rows,
    places: Float64Array.from(rows, placeOf),
    received: Float64Array.from(rows, (row) => receivedAt[row]!),
  }
}

/** Reads put events one by one, by their row in the chunk. */
export function putReader(chunk: Chunk): (row: number) => PutEvent {
  const [ids, times, names] = [chunk.eventIds(), chunk.times(), chunk.values('name')!]
  const [payloads, ns] = [chunk.texts('payload')!, chunk.texts('timestamp_ns')]
  return (row) => ({
    event_id: idAt(ids, row),
    timestamp: times[row]!,
    timestamp_ns: ns?.at(row),
    name: String(names.values[names.codes[row]!]),
    payload: payloads.at(row)!,
  })
}

/**
 * The start of a page of put events. Their order is: the latest receipt in the lane up to the event, then lane, then
 * place. So events are nearly in the order of receipt, and never precede an earlier event of their lane.
 */
export interface PutStart {
  /** by lane, the place of the first event to look at */
  readonly places: readonly number[]
  /** number of events to skip from there on */
  readonly skip: number
}

/**
 * Returns where to begin in order to skip that many events, without reading chunks that are skipped as a whole. `lanes`
 * are the chunks with put events, by lane; the order is final for receipts before `before`.
 */
export function skipPuts(lanes: readonly (readonly ChunkSummary[])[], skip: number, before: number): PutStart {
  const parts = lanes.map(partsOf)
  const next = lanes.map(() => 0)
  const times = [...new Set(parts.flatMap((laneParts) => laneParts.map(({ received }) => received)))].sort(
    (a, b) => a - b,
  )
  let start: PutStart = { places: lanes.map(() => 0), skip }
  let skipped = 0
  for (const time of times) {
    if (time >= before) break
    parts.forEach((laneParts, lane) => {
      for (; next[lane]! < laneParts.length && laneParts[next[lane]!]!.received <= time; next[lane]!++)
        skipped += laneParts[next[lane]!]!.rows
    })
    // up to this time, the lanes have at most this many more events
    const more = parts.reduce((sum, laneParts, lane) => sum + (laneParts[next[lane]!]?.rows ?? 0), 0)
    if (skipped + more > skip) break
    start = { places: parts.map((laneParts, lane) => laneParts[next[lane]! - 1]?.end ?? 0), skip: skip - skipped }
  }
  return start
}

/** Chunks of a lane with overlapping positions. */
interface Part {
  readonly rows: number
  /** the place after its last event */
  readonly end: number
  /** the latest receipt of its events and of those before it */
  readonly received: number
}

function partsOf(chunks: readonly ChunkSummary[]): Part[] {
  let received = 0
  return clustersOf(chunks).map((cluster) => {
    received = Math.max(received, lastReceived(cluster))
    return { rows: cluster.reduce((sum, { puts }) => sum + (puts?.rows ?? 0), 0), end: endOfPlaces(cluster), received }
  })
}

/** Returns the latest receipt of the put events of these chunks. */
export function lastReceived(chunks: readonly ChunkSummary[]): number {
  return chunks.reduce((last, { puts }) => Math.max(last, puts?.last_received ?? 0), 0)
}
