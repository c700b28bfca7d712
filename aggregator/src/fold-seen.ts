import type { Partition, SeenChange } from '@hopper/storage'
import { seenPartition, type Judged } from './judge.ts'

/** The ids that stand in this batch for the first time. */
export function foldSeen(events: readonly Judged[]): SeenChange[] {
  const found = new Map<string, { readonly partition: Partition; readonly rows: SeenChange['rows'][number][] }>()
  for (const { position, message, event, fate, reason } of events) {
    if (fate === 'duplicate') continue
    const partition = seenPartition(message.app.id, event)
    const id = `${partition.app}\0${partition.date}`
    let change = found.get(id)
    if (!change) found.set(id, (change = { partition, rows: [] }))
    change.rows.push({ event_id: event.event_id, position, fate, reason })
  }
  return [...found.values()].map(({ partition, rows }) => ({ ...partition, rows }))
}
