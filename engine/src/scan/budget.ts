import { HopperError } from '@hopper/contracts'

/**
 * Ends a query that takes too long or that nobody waits for any more: `check` is called at least once for every chunk
 * and throws then.
 */
export interface Budget {
  check(): void
}

export const endless: Budget = { check: () => undefined }

/** A budget of wall time, with the client's disconnect as `signal`. */
export function timeBudget(ms: number, signal?: { readonly aborted: boolean }): Budget {
  const until = performance.now() + ms
  return {
    check: () => {
      if (performance.now() > until) throw new HopperError('HOP_QUERY_TIMEOUT')
      if (signal?.aborted) throw new HopperError('HOP_QUERY_TIMEOUT', 'The client went away.')
    },
  }
}
