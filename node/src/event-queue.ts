/** Event in the form in which it is sent. */
export interface QueuedEvent {
  readonly id: string
  readonly json: string
  /** of the JSON in UTF-8 */
  readonly bytes: number
}

/**
 * Queue of events, bounded by their number and bytes. When it is full, the oldest events stay and new ones are refused.
 * An event stays in the queue until it is removed after its delivery.
 */
export class EventQueue {
  readonly #eventsMax: number
  readonly #bytesMax: number
  #events: QueuedEvent[] = []
  #bytes = 0

  constructor({ queueEventsMax, queueBytesMax }: { readonly queueEventsMax: number; readonly queueBytesMax: number }) {
    this.#eventsMax = queueEventsMax
    this.#bytesMax = queueBytesMax
  }

  get length(): number {
    return this.#events.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Returns false when the queue is full. */
  add(event: QueuedEvent): boolean {
    if (this.#events.length >= this.#eventsMax || this.#bytes + event.bytes > this.#bytesMax) return false
    this.#events.push(event)
    this.#bytes += event.bytes
    return true
  }

  /** Returns the oldest events that fit into one request, at least one unless the queue is empty. */
  peek(eventsMax: number, bytesMax: number): readonly QueuedEvent[] {
    let bytes = 0
    let count = 0
    for (const event of this.#events) {
      // a comma between two events
      bytes += event.bytes + 1
      if (count >= eventsMax || (count > 0 && bytes > bytesMax)) break
      count++
    }
    return this.#events.slice(0, count)
  }

  /** Removes the oldest events and returns them. */
  remove(count: number): readonly QueuedEvent[] {
    const removed = this.#events.splice(0, count)
    for (const { bytes } of removed) this.#bytes -= bytes
    return removed
  }
}
