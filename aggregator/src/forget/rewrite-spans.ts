import { setImmediate as pause } from 'node:timers/promises'
import type { ChunkSummary, EncodedChunk } from '@hopper/contracts'
import { encodeBuffer, eventsOfChunk, RowBuffer } from '@hopper/engine'
import type { Archive, Lease } from '@hopper/storage'
import { groupIntoSpans } from '../merge/stored-span.ts'
import { fetchColumns, type RewrittenRows } from './forgotten-rows.ts'

const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER }
const EVENTS_PER_TURN = 2_000

/** Options of a rewrite. */
export interface RewrittenLane {
  readonly app: string
  readonly lane: number
  readonly rows: RewrittenRows
}

/**
 * Replaces every span of a lane that has events to remove or to change, and deletes the old cells. A span is
 * replaced in one step, so it may be interrupted anywhere and run again. Merges must not run meanwhile.
 */
export async function rewriteSpans(
  archive: Archive,
  { app, lane, rows }: RewrittenLane,
  lease: () => Lease,
  assertOwned: () => void,
): Promise<void> {
  for (const { chunks } of groupIntoSpans(await archive.list({ app, lane, ...ALL }))) {
    const parts: EncodedChunk[] = []
    let isChanged = false
    for (const summary of chunks) {
      assertOwned()
      if ((await rows.shareOf(archive, summary)) === 'none') continue
      isChanged = true
      break
    }
    if (!isChanged) continue
    for (const summary of chunks) parts.push(...(await rewritten(archive, summary, rows)))
    const [first] = chunks
    assertOwned()
    await archive.replace(lease(), [first!], numberedParts(parts))
  }
  await archive.purge(lease(), app)
}

/** Encodes a chunk without the removed events and with the changed ones. A chunk that has neither stays as it is. */
async function rewritten(
  archive: Archive,
  summary: ChunkSummary,
  rows: RewrittenRows,
): Promise<readonly EncodedChunk[]> {
  const names = Object.keys(summary.columns)
  const share = await rows.shareOf(archive, summary)
  if (share === 'all') return []
  if (share === 'none') return [{ summary, columns: await archive.columns(summary, names) }]
  const chunk = await fetchColumns(archive, summary, names)
  const buffer = new RowBuffer(summary.app)
  let read = 0
  for (const event of eventsOfChunk(chunk, ALL)) {
    if (!rows.has(event)) buffer.put(rows.changed?.(event) ?? event)
    if (++read % EVENTS_PER_TURN === 0) await pause()
  }
  const { app, date, lane, first_position, last_position } = summary
  return buffer.rows === 0 ? [] : encodeBuffer(buffer, { app, date, lane, first_position, last_position })
}

function numberedParts(parts: readonly EncodedChunk[]): EncodedChunk[] {
  return parts.map(({ summary, columns }, part) => ({ summary: { ...summary, part, parts: parts.length }, columns }))
}
