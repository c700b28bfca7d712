import type { Archive, EventLog, Lanes, Registry, Storage, TableReader, TableWriter } from '@hopper/storage'
import type { Logger } from 'pino'
import type { Registry as Metrics } from 'prom-client'

/** The dependencies and settings of the API; it knows ports, never an adapter. */
export interface ApiOptions {
  readonly log: EventLog
  readonly reader: TableReader
  /** for replaying dead letters; everything else is written by the aggregator */
  readonly writer: Pick<TableWriter, 'removeDeadLetters' | 'markReplayed'>
  readonly lanes: Lanes
  /** archive of all events; without it, queries over them are refused */
  readonly archive?: Archive
  /** maximum time of a query, including its wait; default 30 s */
  readonly queryLimitMs?: number
  readonly registry: Registry
  readonly health: Storage['health']
  /**
   * names of engines that may be unavailable while the process is ready: answers report up to when they are complete
   */
  readonly worksWithout?: readonly string[]
  readonly mode: 'standalone' | 'cluster'
  /** directory of the built dashboard; without it only the API is served */
  readonly dashboardDir?: string
  /** URL at which browsers reach this installation; https makes the cookies `Secure` */
  readonly publicUrl: string
  /** URL from which sites load the tracker, if it is not `publicUrl` */
  readonly ingestUrl?: string
  readonly metrics: Metrics
  readonly logger: Logger
  /** registers /healthcheck, /ready and /metrics, which the ingest plugin serves in standalone */
  readonly operationRoutes?: boolean
  /** ms since the epoch; replaced in tests */
  readonly clock?: () => number
}
