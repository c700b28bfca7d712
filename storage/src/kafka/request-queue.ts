import { createRequire } from 'node:module'

/** What kafkajs 2.2.4 keeps for one connection; of its internals, only what is needed here. */
interface RequestQueue {
  readonly pending: readonly unknown[]
  /** in ms since the epoch; -1: not throttled */
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

const CHECK_MS = 10

/**
 * kafkajs 2.2.4 ends each look at its queue by setting a timer for the next, for `throttledUntil - now` ms, also when
 * nothing waits: a negative time, of which Node warns (TimeoutNegativeWarning) and which it takes for 1 ms. So each
 * connection wakes its process a thousand times a second for nothing. Here a timer is set only for what waits. Known as
 * tulios/kafkajs issues 1751 and 1704, without a release since; a test fails when it is needed no more.
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
