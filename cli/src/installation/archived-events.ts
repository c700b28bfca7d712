import { HopperError, type ArchivedEvent, type ChunkSummary } from '@hopper/contracts'
import { Chunk, eventsOfChunk, type ExportRange } from '@hopper/engine'
import { readAhead, type Archive } from '@hopper/storage'

const EVENTS_PER_PART = 5_000
const CHUNK_CONCURRENCY = 8
/** compressed size; decoded, the columns take several times as much */
const FETCHED_BYTES_MAX = 8_000_000

/** Columns that feed no table. */
const unused = /^(data|utm_|spilled)/

/**
 * Yields the events of one lane of an app in the range and before a position, part by part, without their free-form
 * properties.
 */
export async function* archivedEvents(
  archive: Archive,
  app: string,
  lane: number,
  range: ExportRange,
  before: number,
  needs: (column: string) => boolean = () => true,
): AsyncGenerator<readonly ArchivedEvent[]> {
  const chunks = (await archive.list({ app, lane, ...range })).filter((summary) => summary.first_position < before)
  for await (const chunk of fetchChunks(archive, chunks, (column) => !unused.test(column) && needs(column))) {
    let events: ArchivedEvent[] = []
    for (const event of eventsOfChunk(chunk, range)) {
      if (event.position >= before) continue
      if (events.push(event) < EVENTS_PER_PART) continue
      yield events
      events = []
    }
    if (events.length > 0) yield events
  }
}

/** Fetches some columns of chunks, in the order of the chunks, some megabytes ahead. */
export function fetchChunks(
  archive: Archive,
  chunks: Iterable<ChunkSummary>,
  isWanted?: (column: string) => boolean,
): AsyncGenerator<Chunk> {
  return readAhead(chunks, (summary) => fetchChunk(archive, summary, isWanted), {
    concurrency: CHUNK_CONCURRENCY,
    bytesMax: FETCHED_BYTES_MAX,
    bytesOf: bytesOfChunk,
  })
}

function bytesOfChunk({ columns }: ChunkSummary): number {
  return Object.values(columns).reduce((sum, bytes) => sum + bytes, 0)
}

/**
 * Fetches some columns of a chunk, as if it had no others.
 * @throws HopperError HOP_STORE_UNAVAILABLE when the archive lacks columns that the chunk's summary names: partial data
 * must not be used
 */
export async function fetchChunk(
  archive: Archive,
  summary: ChunkSummary,
  isWanted: (column: string) => boolean = () => true,
): Promise<Chunk> {
  const names = Object.keys(summary.columns).filter(isWanted)
  const cells = await archive.columns(summary, names)
  const lost = names.filter((name) => cells.get(name)?.byteLength !== summary.columns[name])
  if (lost.length > 0) throw lostColumns(summary, lost)
  const columns = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
  return new Chunk({ ...summary, columns }, (column) => cells.get(column))
}

function lostColumns(
  { app, date, lane, first_position, last_position }: ChunkSummary,
  lost: readonly string[],
): HopperError {
  const chunk = `of ${app} ${date}, lane ${lane}, positions ${first_position} to ${last_position}`
  return new HopperError(
    'HOP_STORE_UNAVAILABLE',
    `The archive lacks ${lost.length} columns ${chunk} (${lost.slice(0, 5).join(', ')}): ` +
      'it is damaged, or the chunk was merged.',
  )
}
