import type { SeenChange } from '@hopper/storage'
import { ByPartition } from './by-partition.ts'
import { seenDate, type Judged } from './judge.ts'

/** The ids that stand in this batch for the first time. */
export function foldSeen(events: readonly Judged[]): SeenChange[] {
  const found = new ByPartition((partition) => ({ ...partition, rows: [] as SeenChange['rows'][number][] }))
  for (const { position, message: { app }, event, fate, reason } of events) {
    if (fate !== 'duplicate') found.of(app.id, seenDate(event)).rows.push({ event_id: event.event_id, position, fate, reason })
  }
  return found.values()
}
