import type { ArchivedEvent, ChunkSummary } from '@hopper/contracts'
import { Chunk, eventsOfChunk, type ExportRange } from '@hopper/engine'
import type { Archive } from '@hopper/storage'

const EVENTS_PER_PART = 5_000

/** What no table is made of. */
const unused = /^(data|utm_)/

/** The events of one lane of an app that lie in the range and stand before a position, part by part; the free keys of the events are left out. */
export async function* archivedEvents(
  archive: Archive, app: string, lane: number, range: ExportRange, before: number, needs: (column: string) => boolean = () => true,
): AsyncGenerator<readonly ArchivedEvent[]> {
  for (const summary of await archive.list({ app, lane, ...range })) {
    if (summary.first_position >= before) continue
    const chunk = await fetchChunk(archive, summary, (column) => !unused.test(column) && needs(column))
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

/** A chunk with some of its columns, as if it had no others. */
export async function fetchChunk(archive: Archive, summary: ChunkSummary, wanted: (column: string) => boolean = () => true): Promise<Chunk> {
  const names = Object.keys(summary.columns).filter(wanted)
  const cells = await archive.columns(summary, names)
  const columns = Object.fromEntries(names.map((name) => [name, summary.columns[name]!]))
  return new Chunk({ ...summary, columns }, (column) => cells.get(column))
}
