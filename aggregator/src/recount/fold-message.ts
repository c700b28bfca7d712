import { forgottenId } from '@hopper/contracts'
import { placeOf, type CounterChange, type Identity, type Partition, type TableWriter } from '@hopper/storage'
import { foldBatch, type Folded } from '../fold/fold-batch.ts'
import { deviceKey, judge, seenKey, seenPartition, type Message, type Past } from '../judge/judge.ts'
import { utcDate } from '../fold/utc-date.ts'

/** Folds each of these messages of a lane, judged by what the tables know of the lane before it. */
export async function foldMessages(
  writer: TableWriter,
  lane: number,
  messages: readonly Message[],
): Promise<{ position: number; folded: Folded }[]> {
  const events = Map.groupBy(judge(messages, await pastOf(writer, lane, messages)).events, ({ position }) => position)
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

async function pastOf(writer: TableWriter, lane: number, messages: readonly Message[]): Promise<Past> {
  const ids = new Map<string, { readonly partition: Partition; readonly ids: string[] }>()
  const devices = new Map<string, Set<string>>()
  for (const { envelope, app } of messages) {
    if (envelope.events.length === 0) continue
    for (const event of envelope.events) {
      const partition = seenPartition(app.id, event)
      const key = seenKey(partition, '')
      ids.set(key, ids.get(key) ?? { partition, ids: [] })
      ids.get(key)!.ids.push(event.event_id)
      if (app.forgotten !== undefined) ids.get(key)!.ids.push(forgottenId(app.id, event.event_id))
    }
    devices.set(app.id, (devices.get(app.id) ?? new Set()).add(envelope.device_id))
  }
  const past = { firstPositions: new Map<string, number>(), identities: new Map<string, readonly Identity[]>() }
  for (const { partition, ids: eventIds } of ids.values()) {
    for (const [id, position] of await writer.firstPositions(lane, partition, eventIds))
      past.firstPositions.set(seenKey(partition, id), position)
  }
  const before = placeOf(messages[0]?.position ?? 0, 0)
  for (const [app, deviceIds] of devices) {
    for (const [device, found] of await writer.identities(app, [...deviceIds], before))
      past.identities.set(deviceKey(app, device), [found])
  }
  return past
}
