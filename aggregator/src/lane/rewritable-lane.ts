import type { Archive, Lease, TableReader, TableWriter } from '@hopper/storage'

/** An owned lane whose archived and counted events can be changed: by forgetting, by retention, by reviews of bots. */
export interface RewritableLane {
  /** every event before this position is in the tables and in the archive */
  committed: number
  /** position before which everything is in the tables */
  readonly counted: number
  readonly isDeferring: boolean
  /** true while a batch is written, and after one was refused: some of it may be in the tables */
  readonly isHalfWritten: boolean
  /** returns a lease whose end is always the current one */
  currentLease(): Lease
  /** Archives buffered events; returns the position before which every event is in the tables and in the archive. */
  archive(): Promise<{ readonly position: number }>
  exclusively<T>(work: (lease: Lease) => Promise<T>): Promise<T>
  paused<T>(work: () => Promise<T>): Promise<T>
  /** Drops the cache of written visitor rows: some of them are removed. */
  clearVisitorCache(): void
  readonly merges: { exclusively<T>(work: () => Promise<T>): Promise<T> } | undefined
}

/** The tables and the archive that are changed with it. */
export interface RewritableStore {
  readonly reader: TableReader
  readonly writer: TableWriter
  readonly archive: Archive
}

/** Thrown when another owner has the lane, or this process is closing: the next owner continues the work. */
export class LaneLost extends Error {}
