import type { App, Forget, ForgetPart } from '@hopper/contracts'
import type { Archive, Lease, TableReader, TableWriter } from '@hopper/storage'
import type { CountedApp } from '../judge/judge.ts'

/** Owned lane in which persons are forgotten. */
export interface ForgettingLane {
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
  forgetVisitors(): void
  readonly merges: { exclusively<T>(work: () => Promise<T>): Promise<T> } | undefined
}

/** Tables and archive that are read and changed. */
export interface ForgettingStore {
  readonly reader: TableReader
  readonly writer: TableWriter
  readonly archive: Archive
}

/** One request in one lane. */
export interface ForgetPlace {
  readonly app: App
  readonly forget: Forget
  readonly lane: number
  readonly own: ForgettingLane
  /** Throws `NotOurs` when the lane was given away, or the process is about to end. */
  readonly assertOwned: () => void
}

/** The lane is no longer ours: its next owner goes on. */
export class NotOurs extends Error {}

/** Something else must happen first; the message says what, for whoever waits. */
export class Postponed extends Error {}

/** Stores the state of a part. */
export type SavePart = (part: ForgetPart) => Promise<void>

/** App with its stages and what is forgotten, as the folds need it. */
export type FoldedApp = CountedApp

/** Returns the state of a part or a request without why it could not go on: it can again. */
export function withoutProblem<T extends { readonly problem?: string }>({
  problem: _,
  ...rest
}: T): Omit<T, 'problem'> {
  return rest
}
