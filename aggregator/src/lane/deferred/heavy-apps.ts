/** Messages that have waited this long are a backlog. */
const BACKLOG_MS = 500
/** An app with fewer bytes in a backlog is counted immediately: deferring it would take longer. */
const BACKLOG_BYTES_MIN = 8_000
/**
 * An app with more bytes is deferred even without a backlog: on Cassandra, an event takes 5 ms when no two events have
 * the same date.
 */
const NO_BACKLOG_BYTES_MIN = 64_000
/** Minimum share of an app in the bytes of a delivery for the app to be deferred. */
const SHARE_MIN = 0.25

/** Messages that a lane delivers together. */
export interface Delivery {
  /** bytes of messages by app */
  readonly bytes: ReadonlyMap<string, number>
  /** waiting time of the first message, in ms */
  readonly waitedMs: number
}

/** Chooses the apps that would make others wait: their messages are counted in turns of their own. */
export type ChooseDeferred = (delivery: Delivery) => readonly string[]

/**
 * Chooses apps that have many bytes and a large share of the delivery. Several small apps that fill a lane together are
 * not deferred.
 */
export const heavyApps: ChooseDeferred = ({ bytes, waitedMs }) => {
  const total = [...bytes.values()].reduce((sum, ofApp) => sum + ofApp, 0)
  const bytesMin = Math.max(total * SHARE_MIN, waitedMs >= BACKLOG_MS ? BACKLOG_BYTES_MIN : NO_BACKLOG_BYTES_MIN)
  return [...bytes.keys()].filter((app) => bytes.get(app)! >= bytesMin)
}
