/** Limits of a bulk read. */
export interface ReadAheadLimits<T> {
  /** maximum number of reads in flight */
  readonly concurrency?: number
  /** maximum expected size of all items in flight, in bytes; a single item is always read */
  readonly bytesMax?: number
  /** expected size of an item, in bytes */
  readonly bytesOf?: (item: T) => number
}

/** Far below the 2,048 requests that the Cassandra driver queues, since one read may take several of them. */
const CONCURRENCY = 32
const BYTES_MAX = 64_000_000

/**
 * Yields the result of `read` for each item, in the order of the items, and reads ahead. This is the one bounded reader
 * for everything that visits many partitions or chunks (audit, rebuild, export, backfill). Results that the caller has
 * not taken yet count as in flight.
 * When a read fails or the caller stops, no further read begins, and those in flight are awaited.
 */
export async function* readAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  read: (item: T) => Promise<R>,
  limits: ReadAheadLimits<T> = {},
): AsyncGenerator<R> {
  const { concurrency: atOnce = CONCURRENCY, bytesMax = BYTES_MAX, bytesOf = () => 0 } = limits
  const inFlight: { readonly bytes: number; readonly result: Promise<R> }[] = []
  let bytes = 0
  const next = async (): Promise<R> => {
    const first = inFlight[0]!
    const result = await first.result
    inFlight.shift()
    bytes -= first.bytes
    return result
  }
  try {
    for await (const item of items) {
      const size = bytesOf(item)
      while (inFlight.length > 0 && (inFlight.length >= atOnce || bytes + size > bytesMax)) yield await next()
      const result = read(item)
      // The caller sees the failure when it takes the result. Until then it must not end the process.
      result.catch(() => undefined)
      inFlight.push({ bytes: size, result })
      bytes += size
    }
    while (inFlight.length > 0) yield await next()
  } finally {
    await Promise.allSettled(inFlight.map(({ result }) => result))
  }
}
