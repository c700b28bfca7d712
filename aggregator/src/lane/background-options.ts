import type { Archive, EventLog, Registry, TableReader, TableWriter } from '@hopper/storage'

/** Options of work that changes, in the background, what owned lanes have counted. */
export interface BackgroundOptions {
  readonly archive: Archive
  readonly reader: TableReader
  readonly writer: TableWriter
  readonly registry: Registry
  readonly log: EventLog
  readonly logger:
    { info(details: object, message: string): void; error(details: object, message: string): void } | undefined
  /** Invalidates cached apps: later reads get each app as it is in the registry now. */
  readonly clearAppCache: () => void
}
