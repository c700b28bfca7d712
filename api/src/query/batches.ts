import { HopperError } from '@hopper/contracts'
import type { ColumnFetch } from './pool/query-job.ts'

/** Compressed bytes of columns that are fetched and scanned together, for queries that read chunks in any order. */
const BATCH_BYTES = 16 * 1024 * 1024
/** Maximum compressed bytes of one lane of a query: more would not fit in memory next to the other threads. */
const LANE_BYTES_MAX = 512 * 1024 * 1024

function bytesOf({ summary, names }: ColumnFetch): number {
  return names.reduce((sum, name) => sum + (summary.columns[name] ?? 0), 0)
}

/** @throws HopperError HOP_LIMIT if the columns of a lane, which are read together, do not fit into memory */
export function assertLaneFits(fetches: readonly ColumnFetch[]): void {
  const bytes = fetches.reduce((sum, fetch) => sum + bytesOf(fetch), 0)
  if (bytes > LANE_BYTES_MAX)
    throw new HopperError(
      'HOP_LIMIT',
      `The query reads ${Math.ceil(bytes / 1024 ** 2)} MB of one lane; ` +
        `${LANE_BYTES_MAX / 1024 ** 2} are allowed. Narrow the range.`,
    )
}

/** Splits chunks, in any order, into batches of bounded size. */
export function batchesOf(fetches: readonly ColumnFetch[]): ColumnFetch[][] {
  const batches: ColumnFetch[][] = []
  let bytes = Infinity
  for (const fetch of fetches) {
    const size = bytesOf(fetch)
    if (bytes + size > BATCH_BYTES) {
      batches.push([])
      bytes = 0
    }
    batches.at(-1)!.push(fetch)
    bytes += size
  }
  return batches
}
