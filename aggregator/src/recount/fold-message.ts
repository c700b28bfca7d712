import { isOlderThanKept, receivedFrom, utcDate } from '@hopper/contracts'
import type { CounterChange, TableWriter } from '@hopper/storage'
import { foldBatch, type Folded } from '../fold/fold-batch.ts'
import { judge, type Message } from '../judge/judge.ts'
import { LanePast } from '../judge/lane-past.ts'

/** Folds each of these messages of a lane, judged by the ids and identities that the tables have from before it. */
export async function foldMessages(
  writer: TableWriter,
  lane: number,
  messages: readonly Message[],
): Promise<{ position: number; folded: Folded }[]> {
  const { past } = await new LanePast(lane, writer).of(messages)
  const events = Map.groupBy(judge(messages, past).events, ({ position }) => position)
  return messages.map((message) => {
    const { position } = message
    return { position, folded: foldBatch([message], { events: events.get(position) ?? [], identities: [] }) }
  })
}

/**
 * Folds the part of `fates_by_date` that only the log contains: rejected and expired events, and one duplicate per
 * other received event. The archive subtracts those that were no duplicates.
 */
export function foldReceived(messages: readonly Message[]): CounterChange[] {
  return messages.flatMap(({ app, envelope }) => {
    const date = utcDate(envelope.received_at)
    if (date < receivedFrom(app)) return []
    const expired = envelope.events.filter((event) => isOlderThanKept(app, event)).length
    const removed = (envelope.forgotten ?? []).filter((each) => each.expired).length
    return {
      table: 'fates_by_date' as const,
      app: app.id,
      date,
      from: -1,
      to: -1,
      rows: [
        { key: ['duplicate', 'repeated_id'], deltas: [envelope.events.length - expired] },
        ...(envelope.rejected ?? []).map(({ reason }) => ({ key: ['rejected', reason], deltas: [1] })),
        ...(expired + removed > 0 ? [{ key: ['rejected', 'expired'], deltas: [expired + removed] }] : []),
      ],
    }
  })
}
