import type { DiskUse } from '@hopper/contracts'
import type { Archive } from './archive.ts'
import type { EventLog } from './event-log.ts'
import type { Registry } from './registry.ts'
import type { Secrets } from './secrets.ts'
import type { Lanes, TableReader, TableWriter } from './tables.ts'

/** Health of an engine or of another part of a process, with a detail for the operator. */
export interface PartHealth {
  readonly name: string
  readonly healthy: boolean
  readonly detail?: string
}

/** The data that a scrub could not erase. */
export interface Scrubbed {
  /** files that were left alone although they may contain deleted data, such as damaged ones that were set aside */
  readonly keptFiles: readonly string[]
}

/** The ports that an adapter provides. */
export interface Storage {
  readonly log: EventLog
  readonly writer: TableWriter
  readonly reader: TableReader
  readonly lanes: Lanes
  /** missing in adapters without an archive */
  readonly archive?: Archive
  readonly registry: Registry
  readonly secrets: Secrets
  /**
   * Returns the disk space that the engine uses, as far as it reports it; missing in adapters that know nothing of it.
   */
  readonly diskUse?: () => Promise<DiskUse>
  /** health of each engine, by name */
  readonly health: () => Promise<readonly PartHealth[]>
  /**
   * Removes all deleted and replaced data from the disk: afterwards no file contains any of it, except the files that
   * it returns. Takes time and space in proportion to the tables, and blocks their writers meanwhile. Missing where the
   * engine itself decides when to do that.
   */
  readonly scrub?: () => Promise<Scrubbed>
  readonly close: () => Promise<void>
}
