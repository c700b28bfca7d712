import type { Readable } from 'node:stream'
import type { Logger } from 'pino'
import type { Client } from '../query/sharing/shared-runs.ts'
import { Shares, type ShareBounds } from '../query/sharing/shares.ts'

/** Bounds of open streams: each caller and each app leaves room for others. */
const streamBounds: ShareBounds = { total: 200, perApp: 100, perCaller: 25 }
/** All streams fail together when what they read is unavailable, so not each failure is logged. */
const LOG_INTERVAL_MS = 10_000

/** A stream that can end before its client leaves. */
interface Endable extends Readable {
  end(): void
}

/** The open streams of one kind: bounded for each caller and app, and closed when their clients leave. */
export class OpenStreams<S extends Endable> {
  readonly #kind: 'live_streams' | 'change_streams'
  readonly #failure: string
  readonly #logger: Logger
  readonly #streams = new Set<S>()
  readonly #places = new Shares()
  #loggedAt = -Infinity

  /** @param failure the message to log for a stream that could not be read */
  constructor(kind: 'live_streams' | 'change_streams', failure: string, logger: Logger) {
    this.#kind = kind
    this.#failure = failure
    this.#logger = logger
  }

  get size(): number {
    return this.#streams.size
  }

  /**
   * Opens a stream; `closed` is called once it is no longer among the open ones.
   * @throws HopperError HOP_SHARE or HOP_QUERY_BUSY if there are too many
   */
  async open(app: string, client: Client, make: () => S | Promise<S>, closed: (stream: S) => void): Promise<S> {
    const requester = { app, caller: client.caller ?? '' }
    this.#places.assertRoom(requester, streamBounds, this.#kind)
    this.#places.add(requester)
    let stream: S
    try {
      stream = await make()
    } catch (error) {
      this.#places.remove(requester)
      throw error
    }
    this.#streams.add(stream)
    stream.once('close', () => {
      this.#streams.delete(stream)
      this.#places.remove(requester)
      closed(stream)
    })
    const left = (): void => void stream.destroy()
    client.signal.addEventListener('abort', left)
    if (client.signal.aborted) left()
    return stream
  }

  /** Ends every stream; their clients connect again. */
  end(): void {
    for (const stream of this.#streams) stream.end()
  }

  /** Logs that a stream could not be read, at most once in a while. */
  failed(error: unknown): void {
    const now = performance.now()
    if (now - this.#loggedAt < LOG_INTERVAL_MS) return
    this.#loggedAt = now
    this.#logger.warn({ err: error }, this.#failure)
  }
}
