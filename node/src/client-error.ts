/**
 * Reason for an error:
 * - `invalid_event`: the call cannot be sent, since it lacks a name or an id, or cannot be written as JSON
 * - `too_large`: the event alone is larger than a batch may be
 * - `queue_full`: the queue has reached its bound
 * - `closed`: the client was closed before the events were acknowledged
 * - `rejected`: Hopper took the request and rejected single events of it
 * - `refused`: Hopper refused the request finally (400, 401, 403, …)
 * - `unavailable`: no answer, 408, 429 or 5xx; the events are sent again
 */
export type ClientErrorCode =
  'invalid_event' | 'too_large' | 'queue_full' | 'closed' | 'rejected' | 'refused' | 'unavailable'

interface Details {
  /** ids of the events */
  readonly eventIds?: readonly string[]
  /** events concerned; the number of ids unless given */
  readonly events?: number
  /** status of the answer */
  readonly status?: number
  /** pause before the events are sent again, in ms */
  readonly retryInMs?: number
  readonly cause?: unknown
}

/** Error that is handed to `onError`. Unless `willRetry`, the events that it names are lost. */
export class HopperClientError extends Error {
  readonly code: ClientErrorCode
  readonly eventIds: readonly string[]
  readonly events: number
  readonly status: number | undefined
  readonly retryInMs: number | undefined

  constructor(code: ClientErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'HopperClientError'
    this.code = code
    this.eventIds = details.eventIds ?? []
    this.events = details.events ?? this.eventIds.length
    this.status = details.status
    this.retryInMs = details.retryInMs
  }

  get willRetry(): boolean {
    return this.retryInMs !== undefined
  }
}
