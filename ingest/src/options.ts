import type { EventLog, Registry, Storage } from '@hopper/storage'
import type { FastifyBaseLogger } from 'fastify'
import type { Registry as Metrics } from 'prom-client'
import type { Rates } from './admission/rate-limit.ts'

/** Dependencies and options of ingest; it knows ports, never an adapter. */
export interface IngestOptions {
  readonly log: EventLog
  readonly registry: Registry
  readonly health: Storage['health']
  /** registry of the metrics `hopper_ingest_*` */
  readonly metrics: Metrics
  /** returns the text of `/metrics` when it covers more than `metrics` (another thread) */
  readonly metricsText?: () => Promise<string>
  /** the built tracker; without it `/hopper.js` is not served */
  readonly trackerFile?: string
  readonly logger?: Pick<FastifyBaseLogger, 'info' | 'error'>
  /** rates of one key; unlimited by default */
  readonly rates?: Rates
  /** maximum of events that wait for the log; further ones are answered with 503 */
  readonly waitingEventsMax?: number
  /** handles unknown paths too; for a server that runs only ingest */
  readonly answersUnknownPaths?: boolean
  /** returns ms since the epoch; replaced in tests */
  readonly clock?: () => number
}
