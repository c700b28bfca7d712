import { HopperClientError } from './client-error.ts'

/** A full queue refuses events as fast as they come: they are reported together, once in this time. */
const QUEUE_FULL_MS = 1_000
/** ids named in one report; all events are counted */
const IDS_NAMED_MAX = 1_000

/** Hands errors to the caller's `onError`, whatever that throws, and counts the events that are lost. */
export class LossReport {
  /** events lost so far */
  events = 0
  readonly #onError: (error: HopperClientError) => void
  /** events refused by a full queue and not reported yet, and the ids of the first of them */
  #refused = 0
  #refusedIds: string[] = []
  #reportedAt = -Infinity

  constructor(onError: (error: HopperClientError) => void) {
    this.#onError = onError
  }

  add(error: HopperClientError): void {
    this.events += error.events
    if (error.code !== 'queue_full') return this.#report(error)
    this.#refused += error.events
    if (this.#refusedIds.length < IDS_NAMED_MAX) this.#refusedIds.push(...error.eventIds)
    if (performance.now() - this.#reportedAt >= QUEUE_FULL_MS) this.finish()
  }

  /** Reports a failure without a loss. */
  warn(error: HopperClientError): void {
    this.#report(error)
  }

  /** Reports the refused events that are not reported yet. */
  finish(): void {
    if (this.#refused === 0) return
    const [events, eventIds] = [this.#refused, this.#refusedIds]
    this.#refused = 0
    this.#refusedIds = []
    this.#reportedAt = performance.now()
    const message = `The queue is full: ${events} events were refused.`
    this.#report(new HopperClientError('queue_full', message, { events, eventIds }))
  }

  #report(error: HopperClientError): void {
    try {
      // A handler may be an async function, whose rejection would end the process.
      const result: unknown = this.#onError(error)
      if (result instanceof Promise) result.catch(() => undefined)
    } catch {
      // The handler is the only place to report to, so its own error has none.
    }
  }
}
