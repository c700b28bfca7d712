import { FairOrder } from '../../query/sharing/fair-order.ts'
import { Shares, type Requester, type ShareBounds } from '../../query/sharing/shares.ts'

/** Bounds of the queued bodies, each of at most 1 MB. */
const waitingBounds: ShareBounds = { total: 32, perApp: 24, perCaller: 16 }
/**
 * Maximum rate at which the HTTP thread parses large bodies, so that its other work waits for one of them and not for
 * all.
 */
const BYTES_PER_MS = 10_000

interface Waiting extends Requester {
  readonly bytes: number
  start(): void
}

/** Parses large bodies one at a time, leaving time for other work in between, and fairly by app and caller. */
export class LargeBodies {
  readonly #shares = new Shares()
  readonly #order = new FairOrder(new Shares())
  /** in arrival order */
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined

  /**
   * Calls `read` when it is this body's turn.
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if too many are queued
   */
  take(requester: Requester, bytes: number, read: () => void): void {
    this.#shares.assertRoom(requester, waitingBounds, 'large_bodies')
    this.#shares.add(requester)
    this.#waiting.add({ ...requester, bytes, start: read })
    this.#timer ??= setTimeout(() => this.#next(), 0)
  }

  #next(): void {
    this.#timer = undefined
    const waiting = this.#order.first(this.#waiting)
    if (!waiting) return
    this.#waiting.delete(waiting)
    this.#shares.remove(waiting)
    this.#order.served(waiting)
    this.#timer = setTimeout(() => this.#next(), waiting.bytes / BYTES_PER_MS)
    waiting.start()
  }
}
