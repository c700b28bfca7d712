import { createRequire } from 'node:module'
import type { PatchedMethods } from './patched-methods.ts'

/** The request queue of one connection in kafkajs, reduced to the internals needed here. */
interface RequestQueue {
  readonly pending: readonly unknown[]
  /** ms since the epoch; -1: not throttled */
  readonly throttledUntil: number
  throttleCheckTimeoutId: NodeJS.Timeout | null
  checkPendingRequests(): void
  scheduleCheckPendingRequests(): void
}

/** @see PatchedMethods */
export const patched: PatchedMethods = {
  version: '2.2.4',
  module: 'kafkajs/src/network/requestQueue',
  methods: { scheduleCheckPendingRequests: '04347ea969c6f2e3754427c0cbaee0bd4ce947fbd82f7b6e027506a06dfc581a' },
}

const CHECK_MS = 10

/**
 * kafkajs ends each check of its queue by setting a timer for the next, for `throttledUntil - now` ms, even when the
 * queue is empty. The time is then negative: Node warns (TimeoutNegativeWarning) and uses 1 ms, so each connection
 * wakes its process a thousand times a second for nothing. This replacement sets a timer only for queued requests.
 * Known as tulios/kafkajs issues 1751 and 1704, without a release since. A test fails when this is no longer needed.
 */
export function repairRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)(patched.module) as {
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
