import { limits, type ChunkSummary } from '@hopper/contracts'
import { chunkRowReader, clustersOf, endOfPlaces, placeColumns, rowsInOrder, type ExportedEvent } from '@hopper/engine'
import { batchesOf } from '../batches.ts'
import type { QueryJob } from '../pool/query-job.ts'
import { eventView } from '../../answers/events/events.ts'
import type { PageHead, PageRequest, PageResult, QueryOf } from '../query.ts'
import { encodeList } from '../result.ts'
import type { QueryRuntime } from '../pool/query-runtime.ts'

/**
 * Returns events lane by lane in log order. The position of a returned event never changes; later events follow it in
 * its lane.
 */
export async function runPage(
  { request }: QueryOf<'page'>,
  { chunks }: QueryJob,
  runtime: QueryRuntime,
): Promise<PageResult> {
  const events: ExportedEvent[] = []
  const next: number[] = []
  let { skip } = request
  for (const [lane, from] of request.starts.entries()) {
    const selected = chunks.filter((summary) => summary.lane === lane)
    const page = await lanePage(selected, from, skip, request.limit - events.length, runtime)
    skip = page.skip
    next.push(page.next)
    events.push(...page.events)
  }
  return { events, next }
}

/** Returns the same page, encoded as it is answered: a large one would occupy the HTTP thread. */
export async function runEncodedPage(
  { request }: QueryOf<'encoded_page'>,
  job: QueryJob,
  runtime: QueryRuntime,
): Promise<Uint8Array> {
  const { events, next } = await runPage({ kind: 'page', request }, job, runtime)
  const items = events.map((event) => JSON.stringify(eventView(event)))
  const times = events.map(({ event }) => event.timestamp).sort((a, b) => a - b)
  const head: Omit<PageHead, 'digest'> = { next, ...(times.length > 0 && { times: [times[0]!, times.at(-1)!] }) }
  return encodeList(items, head)
}

interface LanePage {
  readonly events: ExportedEvent[]
  readonly skip: number
  readonly next: PageRequest['starts'][number]
}

async function lanePage(
  chunks: readonly ChunkSummary[],
  from: number,
  skipped: number,
  limit: number,
  runtime: QueryRuntime,
): Promise<LanePage> {
  const events: ExportedEvent[] = []
  let [skip, next] = [skipped, from]
  for (const cluster of clustersOf(chunks)) {
    if (events.length >= limit) break
    if (endOfPlaces(cluster) <= next) continue
    runtime.budget.check()
    const rows = cluster.reduce((sum, summary) => sum + summary.rows, 0)
    const whole = cluster[0]!.first_position * limits.eventsPerBatchMax >= next
    if (whole && rows <= skip) {
      skip -= rows
      next = endOfPlaces(cluster)
      continue
    }
    const read = await runtime.source.chunks(cluster.map((summary) => ({ summary, names: placeColumns })))
    const found = rowsInOrder(read, next, 0, skip + limit - events.length)
    const selected = found.slice(skip)
    skip = Math.max(0, skip - found.length)
    events.push(...(await eventsAt(cluster, selected, runtime)))
    if (found.length > 0) next = found.at(-1)!.place + 1
  }
  return { events, skip, next }
}

/** Reads whole events by their chunk and row, in this order; a bounded part of their chunks at a time. */
export async function eventsAt(
  chunks: readonly ChunkSummary[],
  rows: readonly { readonly chunk: number; readonly row: number }[],
  { source, budget }: Pick<QueryRuntime, 'source' | 'budget'>,
): Promise<ExportedEvent[]> {
  const events: ExportedEvent[] = []
  const bySummary = Map.groupBy(rows.keys(), (index) => chunks[rows[index]!.chunk]!)
  const fetches = [...bySummary.keys()].map((summary) => ({ summary, names: Object.keys(summary.columns) }))
  for (const batch of batchesOf(fetches)) {
    for (const chunk of await source.chunks(batch)) {
      budget.check()
      const read = chunkRowReader(chunk)
      for (const index of bySummary.get(chunk.summary)!)
        events[index] = { ...read(rows[index]!.row), lane: chunk.summary.lane }
    }
  }
  return events
}
