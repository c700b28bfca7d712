import type { EventLog, Registry, Secrets, Storage } from '@hopper/storage'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import type { Registry as Metrics } from 'prom-client'
import type { Rates } from './admission/rate-limit.ts'
import type { QuotaPauses } from './admission/quotas.ts'
import type { GeoDatabase } from './geo/geo-database.ts'

/** Dependencies and options of ingest; it knows ports, never an adapter. */
export interface IngestOptions {
  readonly log: EventLog
  readonly registry: Registry
  readonly secrets: Secrets
  readonly health: Storage['health']
  /** registry of the metrics `hopper_ingest_*` */
  readonly metrics: Metrics
  /** returns the text of `/metrics` when it covers more than `metrics` (another thread) */
  readonly metricsText?: () => Promise<string>
  /** throws for a request that may not read the metrics; open to all by default */
  readonly metricsAccess?: (request: Pick<FastifyRequest, 'ip' | 'headers'>) => void
  /** the built tracker, beside the index of its variants; without it `/hopper.js` is not served */
  readonly trackerFile?: string
  readonly logger?: Pick<FastifyBaseLogger, 'info' | 'error'>
  /** finds country and region of visitors; without it they are not known */
  readonly geo?: GeoDatabase | undefined
  /** rates of one key; unlimited by default */
  readonly rates?: Rates
  /** percent of the rates of a key that one address may use, whatever its keys; 100 by default */
  readonly sourceSharePercent?: number
  /** maximum of events that wait for the log; further ones are answered with 503 */
  readonly waitingEventsMax?: number
  /** maximum of WebSockets; an app may hold half of them, an address a quarter */
  readonly socketsMax?: number
  /** how often usage is stored and read; shortened in tests */
  readonly quotaPauses?: QuotaPauses
  /** interval at which refused requests are stored, in ms; shortened in tests */
  readonly refusalsStoredEveryMs?: number
  /** handles unknown paths too; for a server that runs only ingest */
  readonly answersUnknownPaths?: boolean
  /** returns ms since the epoch; replaced in tests */
  readonly clock?: () => number
}
