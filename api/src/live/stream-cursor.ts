import { placeOf } from '@hopper/storage'
import { pageCursor, placesOfCursor } from '../answers/events/page-cursor.ts'
import { invalidFields } from '../http/checked.ts'
import { limits } from '@hopper/contracts'

/**
 * Progress of a stream: by lane, the place of the next event to send. Its text is the `id` of an event, and has the
 * form of the cursor of a page, so that a client can read pages first and then follow from there.
 */
export class StreamCursor {
  readonly #places: number[]

  private constructor(places: readonly number[]) {
    this.#places = [...places]
  }

  /** Begins at positions of the lanes. */
  static at(positions: readonly number[]): StreamCursor {
    return new StreamCursor(positions.map((position) => placeOf(position, 0)))
  }

  /** @throws HopperError HOP_PARAM_INVALID for a text that is not a cursor of this installation */
  static parse(text: string, lanes: number): StreamCursor {
    const places = placesOfCursor(text, lanes)
    if (places) return new StreamCursor(places)
    throw invalidFields([
      { field: 'Last-Event-ID', message: 'is not an id of this installation; leave it out to begin with new events' },
    ])
  }

  get positions(): readonly number[] {
    return this.#places.map((_, lane) => this.position(lane))
  }

  /** Returns the position of the first message that was not sent completely. */
  position(lane: number): number {
    return Math.floor(this.#places[lane]! / limits.eventsPerBatchMax)
  }

  /** Returns whether an event was sent. */
  isPast(lane: number, position: number, index: number): boolean {
    return placeOf(position, index) < this.#places[lane]!
  }

  /** Records that all events of a lane before this place were sent. */
  advance(lane: number, position: number, index: number): void {
    this.#places[lane] = placeOf(position, index)
  }

  toString(): string {
    return pageCursor(this.#places)
  }
}
