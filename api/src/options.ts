import type { Archive, EventLog, Lanes, Registry, Storage, TableReader } from '@hopper/storage'
import type { Logger } from 'pino'
import type { Registry as Metrics } from 'prom-client'

/** What the API is wired over; it knows ports, never an adapter. */
export interface ApiOptions {
  readonly log: EventLog
  readonly reader: TableReader
  readonly lanes: Lanes
  /** all events; without it queries over them are refused */
  readonly archive?: Archive
  /** the longest that a query may take, waiting included; default 30 s */
  readonly queryLimitMs?: number
  readonly registry: Registry
  readonly health: Storage['health']
  /** names of engines that may be away while the process is ready: answers say up to when they are complete */
  readonly worksWithout?: readonly string[]
  readonly mode: 'standalone' | 'cluster'
  /** the built dashboard; without it only the API is served */
  readonly dashboardDir?: string
  /** where browsers reach this installation; https makes the cookies `Secure` */
  readonly publicUrl: string
  /** where sites load the tracker from, when that is not `publicUrl` */
  readonly ingestUrl?: string
  readonly metrics: Metrics
  readonly logger: Logger
  /** registers /healthcheck, /ready and /metrics, which the ingest plugin has in standalone */
  readonly operationRoutes?: boolean
  /** ms since the epoch; a test sets it */
  readonly clock?: () => number
}
