import type { Archive } from './archive.ts'
import type { EventLog } from './event-log.ts'
import type { Registry } from './registry.ts'
import type { Lanes, TableReader, TableWriter } from './tables.ts'

/** Says whether an engine, or another part of a process, does its work, and what an operator should know of it. */
export interface PartHealth {
  readonly name: string
  readonly healthy: boolean
  readonly detail?: string
}

/** What an adapter gives to the parts that are wired over it. */
export interface Storage {
  readonly log: EventLog
  readonly writer: TableWriter
  readonly reader: TableReader
  readonly lanes: Lanes
  /** missing where the adapter keeps no archive */
  readonly archive?: Archive
  readonly registry: Registry
  /** whether each engine answers, by name */
  health(): Promise<readonly PartHealth[]>
  close(): Promise<void>
}
