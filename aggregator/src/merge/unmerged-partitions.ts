import type { ChunkSummary } from '@hopper/contracts'
import type { Archive, Partition } from '@hopper/storage'
import { selectMerge, FAN_IN, FAN_IN_PAST } from './select-merge.ts'
import { groupIntoSpans, hasEnded, lastOfMonth, monthOf } from './stored-span.ts'

const DAY_MS = 86_400_000
const WINDOW_MS = 31 * DAY_MS
const WINDOWS = 13

/**
 * Yields the partitions of a lane and these apps that have spans to merge, which a former owner left. The latest come
 * first. Each step reads one window of time, so that a long archive is never listed as a whole; a window without such
 * partitions yields an empty list.
 */
export async function* unmergedPartitions(
  archive: Archive,
  lane: number,
  apps: () => Promise<readonly string[]>,
  now: number,
): AsyncGenerator<readonly Partition[]> {
  for (const app of await apps()) {
    let to = now + 2 * DAY_MS
    for (let window = 0; window <= WINDOWS; window++) {
      const from = window === WINDOWS ? 0 : to - WINDOW_MS
      // Widens the window by two days on both sides, so that a date at the edge is complete in one of the windows.
      const chunks = await archive.list({ app, lane, from: Math.max(0, from - 2 * DAY_MS), to: to + 2 * DAY_MS })
      yield mergeable(app, chunks, now)
      to = from
    }
  }
}

function mergeable(app: string, chunks: readonly ChunkSummary[], now: number): Partition[] {
  const dates = [...Map.groupBy(chunks, ({ date }) => date)].filter(([date, group]) =>
    selectMerge(groupIntoSpans(group), hasEnded(date, now) ? FAN_IN_PAST : FAN_IN),
  )
  const over = chunks.filter(({ date }) => hasEnded(date, now))
  const months = [...Map.groupBy(over, ({ date }) => monthOf(date)).values()].filter((own) =>
    selectMerge(groupIntoSpans(own), hasEnded(lastOfMonth(own[0]!.date), now) ? FAN_IN_PAST : FAN_IN),
  )
  return [...dates.map(([date]) => ({ app, date })), ...months.map(([chunk]) => ({ app, date: chunk!.date }))]
}
