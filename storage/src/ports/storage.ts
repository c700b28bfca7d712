import type { Archive } from './archive.ts'
import type { EventLog } from './event-log.ts'
import type { Registry } from './registry.ts'
import type { Lanes, TableReader, TableWriter } from './tables.ts'

/** Health of an engine or of another part of a process, with a detail for the operator. */
export interface PartHealth {
  readonly name: string
  readonly healthy: boolean
  readonly detail?: string
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
  /** health of each engine, by name */
  readonly health: () => Promise<readonly PartHealth[]>
  readonly close: () => Promise<void>
}
