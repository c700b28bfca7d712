import type { Archive, EventLog, Lanes, Registry, Scrubbed, TableReader, TableWriter } from '@hopper/storage'
import type { Registry as MetricsRegistry } from 'prom-client'
import type { ChooseDeferred } from './lane/deferred/heavy-apps.ts'
import type { SpanMerger } from './merge/merge-thread.ts'

/** Logger of the aggregator; the process decides where its lines go. */
export interface AggregatorLogger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}

export interface AggregatorOptions {
  readonly log: EventLog
  readonly writer: TableWriter
  /** archive of the events; without it only the tables are written */
  readonly archive?: Archive
  /** maximum time that events are buffered before they are archived together; 0 means a second or less */
  readonly archiveMs?: number
  /** the same of events from a backlog; 3 s by default */
  readonly archiveBacklogMs?: number
  /** with a reader and an archive, tables of new funnels are counted for the past */
  readonly reader?: TableReader
  /** interval between two checks for new stages */
  readonly backfillCheckMs?: number
  /** with this, a reader and an archive, the aggregator carries out requests to forget a person */
  readonly forgets?: {
    /** see `Storage.scrub` */
    readonly scrub?: (() => Promise<Scrubbed>) | undefined
    /** interval between two checks for requests */
    readonly checkMs?: number
  }
  /** with this, a reader and an archive, old events of apps expire */
  readonly retention?: {
    /** interval between two checks for dates that have expired */
    readonly checkMs?: number
    /** time between the decision and the first removal */
    readonly settleMs?: number
    /** returns the time (ms since the epoch) */
    readonly now?: () => number
  }
  /** with this, a reader and an archive, every session gets one verdict about whether it is a bot's */
  readonly bots?: {
    /** interval between two reviews */
    readonly checkMs?: number
  }
  readonly lanes: Lanes
  readonly registry: Registry
  /** the name of this process among the owners of lanes */
  readonly owner: string
  readonly metrics?: MetricsRegistry
  readonly logger?: AggregatorLogger
  /** false only in the control of the fault test: redelivered messages are counted again */
  readonly watermarkCheck?: boolean
  /** memory of the filters that recognize new ids without a look-up, in bytes; a share of `memoryBytes` by default */
  readonly seenBytesMax?: number
  /** memory budget of the process, in bytes; by default a share of the available memory */
  readonly memoryBytes?: number
  /** returns the bytes in use now; the resident set size by default */
  readonly memoryUsed?: () => number
  /**
   * chooses the apps that are counted in turns of their own so that others need not wait; by default those with a large
   * backlog
   */
  readonly chooseDeferred?: ChooseDeferred
  /** memory of buffered messages of deferred apps, in bytes; a share of `memoryBytes` by default */
  readonly heldBytesMax?: number
  /** merges spans of the archive; by default in a thread of its own */
  readonly merger?: SpanMerger
}
