import { createRequire } from 'node:module'

/** The request queue of one connection in kafkajs 2.2.4, reduced to the internals needed here. */
interface RequestQueue {
  readonly pending: readonly unknown[]
  /** ms since the epoch; -1: not throttled */
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

const CHECK_MS = 10

/**
 * kafkajs 2.2.4 ends each check of its queue by setting a timer for the next, for `throttledUntil - now` ms, even when
 * the queue is empty. The time is then negative: Node warns (TimeoutNegativeWarning) and uses 1 ms, so each connection
 * wakes its process a thousand times a second for nothing. This replacement sets a timer only for queued requests.
 * Known as tulios/kafkajs issues 1751 and 1704, without a release since. A test fails when this is no longer needed.
 */
export function repairRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    readonly prototype: RequestQueue
  }
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId) return
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null
        this.checkPendingRequests()
      },
      Math.max(this.throttledUntil - Date.now(), CHECK_MS),
    )
  }
}
