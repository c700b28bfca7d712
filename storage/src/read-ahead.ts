/** How much a bulk read may have under way. */
export interface ReadAheadLimits<T> {
  /** reads at the same time */
  readonly atOnce?: number
  /** what all items under way may weigh together, in bytes; one item is always read */
  readonly bytesMax?: number
  /** what an item is expected to weigh */
  readonly bytesOf?: (item: T) => number
}

/** Far below the 2,048 requests that the driver of Cassandra lets wait, since a read may take several of them. */
const AT_ONCE = 32
const BYTES_MAX = 64_000_000

/**
 * Yields what `read` answers for each item, in the order of the items, and reads ahead meanwhile: the one bounded
 * reader of everything that goes through many partitions or chunks (audit, rebuild, export, backfill). What was read
 * and not yet taken counts as under way. When a read fails, or the caller stops, no further one begins, and those under
 * way are awaited.
 */
export async function* readAhead<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  read: (item: T) => Promise<R>,
  limits: ReadAheadLimits<T> = {},
): AsyncGenerator<R> {
  const { atOnce = AT_ONCE, bytesMax = BYTES_MAX, bytesOf = () => 0 } = limits
  const underWay: { readonly bytes: number; readonly result: Promise<R> }[] = []
  let bytes = 0
  const next = async (): Promise<R> => {
    const first = underWay[0]!
    const result = await first.result
    underWay.shift()
    bytes -= first.bytes
    return result
  }
  try {
    for await (const item of items) {
      const own = bytesOf(item)
      while (underWay.length > 0 && (underWay.length >= atOnce || bytes + own > bytesMax)) yield await next()
      const result = read(item)
      // Whoever takes it hears of the failure; until then it must not end the process.
      result.catch(() => undefined)
      underWay.push({ bytes: own, result })
      bytes += own
    }
    while (underWay.length > 0) yield await next()
  } finally {
    await Promise.allSettled(underWay.map(({ result }) => result))
  }
}
