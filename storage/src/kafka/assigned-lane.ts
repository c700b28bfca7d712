import { setTimeout as pause } from 'node:timers/promises'
import type { LaneConsumer, LogMessage } from '../ports/event-log.ts'

/**
 * A lag makes large batches, which cost less for each event; the memory of the lanes that are held at once is what
 * bounds them.
 */
const MESSAGES_PER_BATCH = 16_000
const BYTES_PER_BATCH = 8_000_000
const RETRY_MS_FIRST = 50
const RETRY_MS_MAX = 5_000

/**
 * One lane of a member. The calls of its consumer go one at a time: `assigned`, `batch` any number of times, `revoked`,
 * however quickly the group changes its mind.
 */
export class AssignedLane {
  /** the next position wanted; holds once the lane is taken */
  next = 0
  /** set while a batch of this lane is under way, or the pause after one that failed */
  busy = false
  readonly #lane: number
  readonly #consumer: LaneConsumer
  /** aborted while the lane is not ours */
  #gone = aborted()
  #held = false
  #turn: Promise<void> = Promise.resolve()
  #retryMs = RETRY_MS_FIRST

  constructor(lane: number, consumer: LaneConsumer) {
    this.#lane = lane
    this.#consumer = consumer
  }

  /** The consumer has said from where it wants the lane, and nothing of it is under way. */
  get ready(): boolean {
    return this.#held && !this.busy && !this.#gone.signal.aborted
  }

  /**
   * The lane is ours from now on; unless it was before, the consumer is asked for its position until it answers, and
   * then `taken` is called.
   */
  take(taken: () => void): void {
    if (!this.#gone.signal.aborted) return
    const { signal } = (this.#gone = new AbortController())
    void this.#inTurn(() => this.#untilAssigned(signal, taken))
  }

  /**
   * Gives the lane back to the consumer and asks again from where it is wanted, as when the log has lost what was
   * wanted. Does nothing while it is not held.
   */
  takeAgain(taken: () => void): void {
    const { signal } = this.#gone
    if (signal.aborted) return
    void this.#inTurn(() => this.#giveBack())
    void this.#inTurn(() => this.#untilAssigned(signal, taken))
  }

  /** The lane is no longer ours. Resolves when the consumer has finished with it. */
  release(): Promise<void> {
    this.#gone.abort()
    return this.#inTurn(() => this.#giveBack())
  }

  /**
   * Hands over, in parts, what of the messages is still wanted. They are what stands in the lane from position `from`
   * on.
   * @returns whether the consumer took them; what it did not take is wanted again
   */
  async deliver(from: number, messages: readonly LogMessage[]): Promise<boolean> {
    const { signal } = this.#gone
    let took = true
    await this.#inTurn(async () => {
      const wanted = from > this.next ? [] : messages.filter(({ position }) => position >= this.next)
      for (let at = 0; at < wanted.length && this.#held && !signal.aborted;) {
        const part = wanted.slice(at, endOfBatch(wanted, at))
        at += part.length
        took = false
        await this.#consumer.batch(this.#lane, part, signal)
        took = true
        this.next = part.at(-1)!.position + 1
        this.#retryMs = RETRY_MS_FIRST
      }
    })
    return took
  }

  /** The pause after a failure, each longer than the one before; it ends when the lane is given up. */
  async backOff(): Promise<void> {
    const waitMs = this.#retryMs
    this.#retryMs = Math.min(waitMs * 2, RETRY_MS_MAX)
    await pause(waitMs, undefined, { signal: this.#gone.signal }).catch(() => undefined)
  }

  async #untilAssigned(signal: AbortSignal, taken: () => void): Promise<void> {
    while (!this.#held && !signal.aborted) await this.#assign()
    if (!signal.aborted) taken()
  }

  async #giveBack(): Promise<void> {
    if (!this.#held) return
    this.#held = false
    await this.#consumer.revoked(this.#lane)
  }

  async #assign(): Promise<void> {
    try {
      this.next = await this.#consumer.assigned(this.#lane)
      this.#held = true
      this.#retryMs = RETRY_MS_FIRST
    } catch {
      await this.backOff()
    }
  }

  /** Errors are those of the consumer, which has said why; here they only mean that it is asked again. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch(() => undefined)
    return this.#turn
  }
}

/** One message at least, however large. */
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
