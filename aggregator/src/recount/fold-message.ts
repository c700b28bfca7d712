import { utcDate } from '@hopper/contracts'
import type { CounterChange, TableWriter } from '@hopper/storage'
import { foldBatch, type Folded } from '../fold/fold-batch.ts'
import { judge, type Message } from '../judge/judge.ts'
import { LanePast } from '../judge/lane-past.ts'

/** Folds each of these messages of a lane, judged by what the tables know of the lane before it. */
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
 * Folds the part of `fates_by_date` that only the log contains: rejected events, and one duplicate per received event.
 * The archive subtracts those that were no duplicates.
 */
export function foldReceived(messages: readonly Message[]): CounterChange[] {
  return messages.map(({ app, envelope }) => ({
    table: 'fates_by_date',
    app: app.id,
    date: utcDate(envelope.received_at),
    from: -1,
    to: -1,
    rows: [
      { key: ['duplicate', 'repeated_id'], deltas: [envelope.events.length] },
      ...(envelope.rejected ?? []).map(({ reason }) => ({ key: ['rejected', reason], deltas: [1] })),
    ],
  }))
}
