import type { SeenChange } from '@hopper/storage'
import { ByPartition } from './by-partition.ts'
import { seenDate, type Judged, type Message } from '../judge/judge.ts'

/** Collects the ids that occur for the first time in a batch. */
export class SeenFold {
  readonly #found = new ByPartition((partition) => ({ ...partition, rows: [] as SeenChange['rows'][number][] }))

  add(events: readonly Judged[]): void {
    for (const {
      position,
      message: { app },
      event,
      fate,
      reason,
    } of events) {
      if (fate !== 'duplicate')
        this.#found.of(app.id, seenDate(event)).rows.push({ event_id: event.event_id, position, fate, reason })
    }
  }

  /** Adds what remains of forgotten ids. They count as seen; nobody asks for their fate. */
  addForgotten(messages: readonly Message[]): void {
    for (const { position, app, envelope } of messages) {
      for (const { id: event_id, date } of envelope.forgotten ?? [])
        this.#found.of(app.id, date).rows.push({ event_id, position, fate: 'accepted', reason: 'new' })
    }
  }

  changes(): SeenChange[] {
    return this.#found.values()
  }
}
