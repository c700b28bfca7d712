import { limits, type ChunkSummary } from '@hopper/contracts'
import { endOfPlaces, lastReceived, type PutPlaces } from '@hopper/engine'

/** A put event. `received` is the latest time of receipt in its lane up to this event, so that it never descends. */
export interface PutRow {
  readonly place: number
  readonly received: number
  readonly summary: ChunkSummary
  readonly row: number
}

interface OpenChunk {
  readonly summary: ChunkSummary
  readonly puts: PutPlaces
  /** index of its next event */
  next: number
}

/**
 * The put events of a lane from a place on, in the order of their places. A chunk is opened when the next event may be
 * in it: chunks of different dates overlap.
 */
export class LanePuts {
  /** the next event; final only while there is no chunk to open */
  head: PutRow | undefined
  /** the place after the last event taken */
  next: number
  /** chunks that are not opened yet, the last ones first */
  readonly #closed: ChunkSummary[]
  readonly #open: OpenChunk[] = []
  /** the latest receipt of all put events before the head */
  #received: number

  constructor(chunks: readonly ChunkSummary[], start: number) {
    this.next = start
    this.#received = lastReceived(chunks.filter((summary) => endOfPlaces([summary]) <= start))
    this.#closed = chunks
      .filter((summary) => endOfPlaces([summary]) > start)
      .sort((a, b) => b.first_position - a.first_position)
  }

  /** Returns the chunks that must be opened before the next event is known, in this order. */
  chunksToOpen(): readonly ChunkSummary[] {
    const first = this.#closed.at(-1)
    if (!first) return []
    const until = this.head?.place ?? Math.max(firstPlace(first), this.next)
    let count = 0
    while (count < this.#closed.length && firstPlace(this.#closed.at(-1 - count)!) <= until) count++
    return count === 0 ? [] : this.#closed.slice(-count).reverse()
  }

  /** Opens the first of `chunksToOpen`. */
  open(summary: ChunkSummary, puts: PutPlaces): void {
    this.#closed.pop()
    if (puts.places.length > 0) this.#open.push({ summary, puts, next: 0 })
    this.#settle()
  }

  take(): PutRow {
    const taken = this.head!
    this.next = taken.place + 1
    this.#settle()
    return taken
  }

  /** Skips events before the next place, and finds the one that follows. */
  #settle(): void {
    for (;;) {
      const first = this.#first()
      if (!first) return void (this.head = undefined)
      const { puts, next, summary } = first
      const place = puts.places[next]!
      const received = Math.max(this.#received, puts.received[next]!)
      if (place >= this.next) return void (this.head = { place, received, summary, row: puts.rows[next]! })
      this.#received = received
      if (++first.next === puts.places.length) this.#open.splice(this.#open.indexOf(first), 1)
    }
  }

  /** Returns the open chunk with the next event. */
  #first(): OpenChunk | undefined {
    let first: OpenChunk | undefined
    for (const chunk of this.#open)
      if (!first || chunk.puts.places[chunk.next]! < first.puts.places[first.next]!) first = chunk
    return first
  }
}

function firstPlace({ first_position }: ChunkSummary): number {
  return first_position * limits.eventsPerBatchMax
}
