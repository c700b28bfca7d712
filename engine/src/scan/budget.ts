import { HopperError } from '@hopper/contracts'

/**
 * Aborts a query that takes too long or whose client has disconnected: `check` then throws. It is called at least once
 * per chunk.
 */
export interface Budget {
  check(): void
}

/** A budget that never aborts. */
export const unlimitedBudget: Budget = { check: () => undefined }

/** Creates a budget of wall-clock time; `signal` is aborted when the client disconnects. */
export function timeBudget(ms: number, signal?: { readonly aborted: boolean }): Budget {
  const until = performance.now() + ms
  return {
    check: () => {
      if (performance.now() > until) throw new HopperError('HOP_QUERY_TIMEOUT')
      if (signal?.aborted) throw new HopperError('HOP_QUERY_TIMEOUT', 'The client disconnected.')
    },
  }
}
