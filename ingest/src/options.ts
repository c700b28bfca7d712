import type { EventLog, Registry, Storage } from '@hopper/storage'
import type { FastifyBaseLogger } from 'fastify'
import type { Registry as Metrics } from 'prom-client'
import type { Rates } from './admission/rate-limit.ts'

/** What ingest is wired over; it knows ports, never an adapter. */
export interface IngestOptions {
  readonly log: EventLog
  readonly registry: Registry
  readonly health: Storage['health']
  /** where the metrics `hopper_ingest_*` are registered */
  readonly metrics: Metrics
  /** what `/metrics` answers, when more than `metrics` has a say (another thread) */
  readonly metricsText?: () => Promise<string>
  /** the built tracker; without it `/hopper.js` is not served */
  readonly trackerFile?: string
  readonly logger?: Pick<FastifyBaseLogger, 'info' | 'error'>
  /** what one key may send; unlimited when not given */
  readonly rates?: Rates
  /** events that may wait for the log before further ones are answered 503 */
  readonly waitingEventsMax?: number
  /** answers every path that nobody serves; for a server that has nothing beside ingest */
  readonly answersUnknownPaths?: boolean
  /** ms since the epoch; a test sets it */
  readonly clock?: () => number
}
