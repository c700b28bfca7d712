import type { App } from './app.ts'
import { receivedFrom } from './retention.ts'

/**
 * Bytes of the requests of an app that one process of ingest has taken on a UTC date: bodies after decompression, and
 * messages of sockets, with everything in them; and the number of their events. Written by that process alone.
 */
export interface Usage {
  readonly app: string
  /** id of the process, another one for each start */
  readonly process: string
  readonly date: string
  /** negative where they were subtracted with a person who is forgotten */
  readonly bytes: number
  readonly events: number
}

/** Returns the registry id of a record of usage, in the order of dates. */
export function usageId({ date, process }: Pick<Usage, 'date' | 'process'>): string {
  return `${date} ${process}`
}

/** Sums the bytes of an app that were received on dates that it keeps; never less than 0. */
export function receivedBytes(
  app: Pick<App, 'kept_from' | 'timezone'>,
  usages: Iterable<Pick<Usage, 'date' | 'bytes'>>,
): number {
  const from = receivedFrom(app)
  let sum = 0
  for (const { date, bytes } of usages) if (date >= from) sum += bytes
  return Math.max(0, sum)
}
