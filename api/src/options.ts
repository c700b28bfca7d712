import type { AuditProgress, AuditTally, TrackedApp } from '@hopper/contracts'
import type { Archive, EventLog, Lanes, Registry, Secrets, Storage, TableReader, TableWriter } from '@hopper/storage'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Registry as Metrics } from 'prom-client'

/** Finds the build of the tracker for an app: the hash in its address, and its subresource integrity. */
export type TrackerScript = (app: TrackedApp) => { readonly hash: string; readonly integrity: string }

/** Permissions of alerts to send, and whether this process checks them. */
export interface AlertOptions {
  /** origins that webhooks may be sent to */
  readonly webhookOrigins: readonly string[]
  /** true: these origins may have private addresses */
  readonly arePrivateAddressesAllowed: boolean
  /** without it, no e-mails are sent */
  readonly mail?: MailOptions
  /** pause between two checks of all rules; without it, this process checks none */
  readonly checkEveryMs?: number
}

/** The OpenID provider by which members may log in. */
export interface OidcOptions {
  /** identifies the provider, and is where its description is found */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** on the button of the login page */
  readonly name: string
  /** origins that the provider may name for its addresses, besides that of the issuer */
  readonly origins: readonly string[]
}

export interface MailOptions {
  /** smtp://USER:PASSWORD@HOST:PORT, or smtps:// */
  readonly url: string
  /** address of the sender */
  readonly from: string
}

/** The scope of an audit that the API begins. */
export interface AuditScope {
  readonly organization: string
  readonly app: string | undefined
  readonly from: string | undefined
  readonly to: string | undefined
}

/** An audit under way. */
export interface AuditJob {
  /** its result; rejects if it fails or is stopped */
  readonly outcome: Promise<AuditTally>
  /** Ends it, and resolves when it has ended. */
  stop(): Promise<void>
}

/** Begins an audit apart from the thread of the caller. */
export type StartAudit = (scope: AuditScope, onProgress: (progress: AuditProgress) => void) => AuditJob

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
  readonly secrets: Secrets
  readonly health: Storage['health']
  /**
   * names of engines that may be unavailable while the process is ready: answers report up to when they are complete
   */
  readonly worksWithout?: readonly string[]
  readonly mode: 'standalone' | 'cluster'
  /** directory of the built dashboard; without it only the API is served */
  readonly dashboardDir?: string
  /** without it, no audits can be begun */
  readonly startAudit?: StartAudit
  /** URL at which browsers reach this installation; https makes the cookies `Secure` */
  readonly publicUrl: string
  /** URL from which sites load the tracker, if it is not `publicUrl` */
  readonly ingestUrl?: string
  /** without it no tags are given */
  readonly trackerScript?: TrackerScript
  /** default: nothing may be sent, and nothing is checked */
  readonly alerts?: AlertOptions
  /** without it, members log in by password and link only */
  readonly oidc?: OidcOptions
  readonly metrics: Metrics
  readonly logger: Logger
  /** registers /healthcheck, /ready and /metrics, which the ingest plugin serves in standalone */
  readonly operationRoutes?: boolean
  /** throws for a request that may not read the metrics; open to all by default */
  readonly metricsAccess?: (request: Pick<FastifyRequest, 'ip' | 'headers'>) => void
  /** ms since the epoch; replaced in tests */
  readonly clock?: () => number
}
