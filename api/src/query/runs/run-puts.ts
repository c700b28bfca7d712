import type { ChunkSummary } from '@hopper/contracts'
import { putColumns, putReader, skipPuts, type PutStart } from '@hopper/engine'
import { putItem } from '../../answers/events/put-item.ts'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'
import type { PutsHead, QueryOf } from '../query.ts'
import { encodeList } from '../result.ts'
import { LanePuts, type PutRow } from './lane-puts.ts'
import { cachedPutPlaces } from './put-places.ts'

/** Rows between two checks of the time limit. */
const ROWS_PER_CHECK = 1_024

/**
 * Returns events that came by `PUT /events`, encoded, in the order of `PutStart`. Reads no chunk that ends before its
 * start. `chunks` are those with put events.
 */
export async function runPuts(
  { request }: QueryOf<'puts'>,
  { chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<Uint8Array> {
  const lanes = request.places.map((_, lane) => chunks.filter((summary) => summary.lane === lane))
  const start: PutStart = request.skip > 0 ? skipPuts(lanes, request.skip, request.before) : request
  const puts = lanes.map((summaries, lane) => new LanePuts(summaries, start.places[lane]!))
  const { rows, excluded } = await mergeLanes(puts, { ...request, skip: start.skip }, runtime)
  const items = await itemsOf(rows, runtime)
  const head: Omit<PutsHead, 'digest'> = {
    next: puts.map(({ next }) => next),
    events: items.length,
    ...(excluded === undefined ? {} : { excluded }),
  }
  return encodeList(items, head)
}

interface Merged {
  readonly rows: readonly PutRow[]
  readonly excluded?: number
}

/** Takes the rows of a page from the lanes, each from the lane whose next row is first in the order. */
async function mergeLanes(
  lanes: readonly LanePuts[],
  { skip, limit, before }: QueryOf<'puts'>['request'],
  runtime: QueryRuntime,
): Promise<Merged> {
  await openNext(lanes, runtime)
  const rows: PutRow[] = []
  for (let taken = 0; ; taken++) {
    if (taken % ROWS_PER_CHECK === 0) runtime.budget.check()
    const first = firstOf(lanes)
    if (!first || rows.length >= limit) return { rows }
    const { received } = first.head!
    if (received >= before) return { rows, excluded: received }
    const row = first.take()
    if (taken >= skip) rows.push(row)
    await openNext([first], runtime)
  }
}

/** Opens chunks until the next event of each of these lanes is known. */
async function openNext(lanes: readonly LanePuts[], runtime: QueryRuntime): Promise<void> {
  for (;;) {
    const toOpen: { readonly lane: LanePuts; readonly summary: ChunkSummary }[] = []
    for (const lane of lanes) for (const summary of lane.chunksToOpen()) toOpen.push({ lane, summary })
    if (toOpen.length === 0) return
    const summaries = toOpen.map(({ summary }) => summary)
    const places = await cachedPutPlaces(summaries, runtime)
    toOpen.forEach(({ lane, summary }, i) => lane.open(summary, places[i]!))
  }
}

/** Returns the lane whose next row has the earliest receipt; of equal ones the first lane. */
function firstOf(lanes: readonly LanePuts[]): LanePuts | undefined {
  let first: LanePuts | undefined
  for (const lane of lanes) if (lane.head && (!first || lane.head.received < first.head!.received)) first = lane
  return first
}

/** Reads the events of rows, a bounded number of chunks at a time. */
async function itemsOf(rows: readonly PutRow[], { source, budget }: QueryRuntime): Promise<string[]> {
  const items: string[] = []
  const bySummary = Map.groupBy(rows.keys(), (index) => rows[index]!.summary)
  for (const fetches of batchesOf([...bySummary.keys()].map((summary) => ({ summary, names: putColumns })))) {
    for (const chunk of await source.chunks(fetches)) {
      budget.check()
      const read = putReader(chunk)
      for (const index of bySummary.get(chunk.summary)!) items[index] = putItem(read(rows[index]!.row))
    }
  }
  return items
}
