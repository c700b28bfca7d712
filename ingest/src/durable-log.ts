import { HopperError, type Envelope } from '@hopper/contracts'
import type { EventLog } from '@hopper/storage'
import type { FastifyBaseLogger } from 'fastify'
import type { Histogram } from 'prom-client'

const WAITING_EVENTS_MAX = 200_000

/**
 * Wraps the log for ingest: bounds the waiting events, measures the time, and turns every failure into the error that
 * asks the sender to retry.
 */
export class DurableLog {
  readonly #log: EventLog
  readonly #seconds: Histogram
  readonly #logger: Pick<FastifyBaseLogger, 'info' | 'error'>
  readonly #waitingMax: number
  #waiting = 0
  #failing = false

  constructor(
    log: EventLog,
    seconds: Histogram,
    logger: Pick<FastifyBaseLogger, 'info' | 'error'>,
    waitingEventsMax = WAITING_EVENTS_MAX,
  ) {
    this.#log = log
    this.#seconds = seconds
    this.#logger = logger
    this.#waitingMax = waitingEventsMax
  }

  /** Resolves when the envelopes of a request are durable. @throws HopperError HOP_LOG_UNAVAILABLE */
  async append(envelopes: readonly Envelope[], events: number): Promise<void> {
    if (this.#waiting + events > this.#waitingMax)
      throw new HopperError('HOP_LOG_UNAVAILABLE', 'Too many events wait for the log.')
    this.#waiting += events
    const started = performance.now()
    try {
      await this.#log.append(envelopes)
      if (this.#failing) this.#logger.info('the log accepts events again')
      this.#failing = false
    } catch (cause) {
      // Logs once per outage, not once per request.
      if (!this.#failing) this.#logger.error({ err: cause }, 'the log accepts no events; senders are asked to retry')
      this.#failing = true
      throw new HopperError('HOP_LOG_UNAVAILABLE', undefined, { cause })
    } finally {
      this.#waiting -= events
      this.#seconds.observe((performance.now() - started) / 1000)
    }
  }
}
