/** Injection tokens of Nest: one per port or setting, so that a constructor names exactly what it uses. */
export const LOG = Symbol('EventLog')
export const WRITER = Symbol('TableWriter')
export const READER = Symbol('TableReader')
export const ARCHIVE = Symbol('Archive')
export const QUERY_LIMIT_MS = Symbol('queryLimitMs')
export const LANES = Symbol('Lanes')
export const REGISTRY = Symbol('Registry')
export const HEALTH = Symbol('Storage.health')
export const WORKS_WITHOUT = Symbol('ApiOptions.worksWithout')
export const CLOCK = Symbol('Clock')
export const MODE = Symbol('Mode')
export const PUBLIC_URL = Symbol('PublicUrl')
export const INGEST_URL = Symbol('IngestUrl')
export const TRACKER_SCRIPT = Symbol('TrackerScript')
export const SECRETS = Symbol('Secrets')
export const ALERT_OPTIONS = Symbol('AlertOptions')
export const OIDC_OPTIONS = Symbol('ApiOptions.oidc')
export const LOGGER = Symbol('Logger')
export const METRICS = Symbol('Metrics')
export const METRICS_ACCESS = Symbol('ApiOptions.metricsAccess')

/** ms since the epoch */
export type Clock = () => number
