import type { Partition, SeenChange } from '@hopper/storage'
import { seenDate, type Judged } from './judge.ts'

/** The ids that stand in this batch for the first time. */
export function foldSeen(events: readonly Judged[]): SeenChange[] {
  const found = new Map<string, { readonly partition: Partition; readonly rows: SeenChange['rows'][number][] }>()
  let last: { readonly partition: Partition; readonly rows: SeenChange['rows'][number][] } | undefined
  for (const { position, message: { app }, event, fate, reason } of events) {
    if (fate === 'duplicate') continue
    const date = seenDate(event)
    if (last?.partition.app !== app.id || last.partition.date !== date) {
      const id = `${app.id}\0${date}`
      last = found.get(id) ?? { partition: { app: app.id, date }, rows: [] }
      found.set(id, last)
    }
    last.rows.push({ event_id: event.event_id, position, fate, reason })
  }
  return [...found.values()].map(({ partition, rows }) => ({ ...partition, rows }))
}
