import { limits, receivedFrom, utcDate, type RejectedEvent } from '@hopper/contracts'
import { rejectedPartition, type SeenChange } from '@hopper/storage'
import { ByPartition } from './by-partition.ts'
import { seenDate, type Judged, type Message } from '../judge/judge.ts'

/** Collects the ids that occur for the first time in a batch, and those of events that ingest rejected. */
export class SeenFold {
  readonly #found = new ByPartition((partition) => ({ ...partition, rows: [] as SeenChange['rows'][number][] }))

  add(messages: readonly Message[], events: readonly Judged[]): void {
    for (const {
      position,
      message: { app },
      event,
      fate,
      reason,
    } of events) {
      if (fate !== 'duplicate' && reason !== 'expired')
        this.#found.of(app.id, seenDate(event)).rows.push({ event_id: event.event_id, position, fate, reason })
    }
    for (const message of messages) if (message.envelope.rejected) this.#addRejected(message, message.envelope.rejected)
  }

  /** Adds the hashes that remain of forgotten ids. They count as seen; their fate is never read. */
  addForgotten(messages: readonly Message[]): void {
    for (const { position, app, envelope } of messages) {
      for (const { id: event_id, date, expired } of envelope.forgotten ?? [])
        if (!expired) this.#found.of(app.id, date).rows.push({ event_id, position, fate: 'accepted', reason: 'new' })
    }
  }

  changes(): SeenChange[] {
    return this.#found.values()
  }

  #addRejected({ position, app, envelope }: Message, rejected: readonly RejectedEvent[]): void {
    const { app: partition, date } = rejectedPartition(app.id, utcDate(envelope.received_at))
    if (date < receivedFrom(app)) return
    for (const { event_id, reason } of rejected)
      if (isId(event_id)) this.#found.of(partition, date).rows.push({ event_id, position, fate: 'rejected', reason })
  }
}

/** Returns whether an id can be stored: ingest writes only such ids, but other writers of the log may write any. */
function isId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= limits.idCharsMax
}
