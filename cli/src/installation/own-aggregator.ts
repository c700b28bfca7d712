import { Aggregator, guardedLog, type AggregatorLogger, type AggregatorOptions } from '@hopper/aggregator'
import type { Storage } from '@hopper/storage'

/**
 * Interval between two checks of the progress of an own aggregator, and between its own checks for requests, in ms.
 */
export const CHECK_MS = 500

/**
 * Creates an aggregator for a command that works on a data directory: it does what requests have left to do. The caller
 * starts and closes it.
 */
export function ownAggregator(
  storage: Storage,
  options: Pick<AggregatorOptions, 'owner' | 'retention'> & { readonly logger: AggregatorLogger },
): Aggregator {
  const { log, lanes, archive, scrub } = storage
  return new Aggregator({
    ...storage,
    ...(archive ? { archive } : {}),
    ...options,
    log: guardedLog(log, { lanes, logger: options.logger }).log,
    forgets: { scrub, checkMs: CHECK_MS },
  })
}
