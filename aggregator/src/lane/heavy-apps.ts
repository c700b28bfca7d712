/** Messages that have waited so long are a backlog. */
const BACKLOG_MS = 500
/** An app with less in a backlog is counted at once: that takes less time than to defer it. */
const BACKLOG_BYTES_MIN = 8_000
/** An app with more is deferred although nothing waits yet: on Cassandra, events of ever other dates take 5 ms each. */
const AT_ONCE_BYTES_MAX = 64_000
/** Of all that is delivered together. */
const SHARE_MIN = 0.25

/** Messages that a lane delivers together. */
export interface Delivery {
  /** the bytes of each app's messages */
  readonly bytes: ReadonlyMap<string, number>
  /** how long its first message has waited, in ms */
  readonly waitedMs: number
}

/** Chooses the apps that would keep others waiting: their messages are counted in turns of their own. */
export type ChooseDeferred = (delivery: Delivery) => readonly string[]

/**
 * Chooses the apps that have much, and a large part, of what is delivered: several small ones that fill a lane wait for
 * each other.
 */
export const heavyApps: ChooseDeferred = ({ bytes, waitedMs }) => {
  const total = [...bytes.values()].reduce((sum, own) => sum + own, 0)
  const bytesMin = Math.max(total * SHARE_MIN, waitedMs >= BACKLOG_MS ? BACKLOG_BYTES_MIN : AT_ONCE_BYTES_MAX)
  return [...bytes.keys()].filter((app) => bytes.get(app)! >= bytesMin)
}
