import { setTimeout as pause } from 'node:timers/promises'
import type { LaneConsumer, LogMessage } from '../ports/event-log.ts'

/**
 * A lag makes large batches, which cost less per event. Their bound is the memory of all lanes that are held at the
 * same time.
 */
const MESSAGES_PER_BATCH = 16_000
const BYTES_PER_BATCH = 8_000_000
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 5_000

/**
 * One lane of a group member. The calls of its consumer never overlap: `assigned`, any number of `batch`, `revoked`,
 * however quickly the group changes the assignment.
 */
export class AssignedLane {
  /** the next position wanted; valid once the lane is taken */
  next = 0
  /** set while a batch of this lane is in flight, and during the pause after a failed batch */
  busy = false
  readonly #lane: number
  readonly #consumer: LaneConsumer
  /** aborted while the lane is not assigned to us */
  #revocation = aborted()
  #isHeld = false
  #turn: Promise<void> = Promise.resolve()
  #retryMs = RETRY_MS_FIRST

  constructor(lane: number, consumer: LaneConsumer) {
    this.#lane = lane
    this.#consumer = consumer
  }

  /** True when the consumer has returned its position and no batch of the lane is in flight. */
  get ready(): boolean {
    return this.#isHeld && !this.busy && !this.#revocation.signal.aborted
  }

  /**
   * Takes the lane. Unless this process owned it before, the consumer is asked for its position until it returns one;
   * then `taken` is called.
   */
  take(taken: () => void): void {
    if (!this.#revocation.signal.aborted) return
    const { signal } = (this.#revocation = new AbortController())
    void this.#inTurn(() => this.#assignUntilHeld(signal, taken))
  }

  /**
   * Returns the lane to the consumer and asks it for a position again, as when the log has lost the wanted position.
   * Does nothing while the lane is not held.
   */
  takeAgain(taken: () => void): void {
    const { signal } = this.#revocation
    if (signal.aborted) return
    void this.#inTurn(() => this.#revoke())
    void this.#inTurn(() => this.#assignUntilHeld(signal, taken))
  }

  /** Releases the lane. Resolves when the consumer has finished with it. */
  release(): Promise<void> {
    this.#revocation.abort()
    return this.#inTurn(() => this.#revoke())
  }

  /**
   * Hands over, in parts, the messages that are still wanted. `messages` are those of the lane from position `from` on.
   * @returns whether the consumer took them; otherwise they are delivered again
   */
  async deliver(from: number, messages: readonly LogMessage[]): Promise<boolean> {
    const { signal } = this.#revocation
    let took = true
    await this.#inTurn(async () => {
      const remaining = from > this.next ? [] : messages.filter(({ position }) => position >= this.next)
      for (let start = 0; start < remaining.length && this.#isHeld && !signal.aborted;) {
        const part = remaining.slice(start, endOfBatch(remaining, start))
        start += part.length
        took = false
        await this.#consumer.batch(this.#lane, part, signal)
        took = true
        this.next = part.at(-1)!.position + 1
        this.#retryMs = RETRY_MS_FIRST
      }
    })
    return took
  }

  /** Pauses after a failure, twice as long each time up to a maximum. Ends early when the lane is given up. */
  async backOff(): Promise<void> {
    const waitMs = this.#retryMs
    this.#retryMs = Math.min(waitMs * 2, RETRY_MS_MAX)
    await pause(waitMs, undefined, { signal: this.#revocation.signal }).catch(() => undefined)
  }

  async #assignUntilHeld(signal: AbortSignal, taken: () => void): Promise<void> {
    while (!this.#isHeld && !signal.aborted) await this.#assign()
    if (!signal.aborted) taken()
  }

  async #revoke(): Promise<void> {
    if (!this.#isHeld) return
    this.#isHeld = false
    await this.#consumer.revoked(this.#lane)
  }

  async #assign(): Promise<void> {
    try {
      this.next = await this.#consumer.assigned(this.#lane)
      this.#isHeld = true
      this.#retryMs = RETRY_MS_FIRST
    } catch {
      await this.backOff()
    }
  }

  /** Swallows errors of the consumer, which has reported them itself. Here they only cause a retry. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch(() => undefined)
    return this.#turn
  }
}

/** A batch has at least one message, however large. */
function endOfBatch(messages: readonly LogMessage[], begin: number): number {
  let end = begin + 1
  for (let bytes = messages[begin]!.value.length; end < messages.length && end - begin < MESSAGES_PER_BATCH; end++) {
    bytes += messages[end]!.value.length
    if (bytes > BYTES_PER_BATCH) break
  }
  return end
}

function aborted(): AbortController {
  const controller = new AbortController()
  controller.abort()
  return controller
}
