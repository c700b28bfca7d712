import type { MessagePort } from 'node:worker_threads'
import type { ChunkSummary } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'
import type { Query } from '../query.ts'

/** A job of a query thread, as plain data: everything except the columns, which the thread requests. */
export interface QueryJob {
  readonly question: Query
  readonly app: string
  readonly context: QueryContext
  /** chunks of the range; the thread selects those that can match by their values of the filtered keys */
  readonly chunks: readonly ChunkSummary[]
  /** chunks of all times that link devices to users; empty if the query does not need them */
  readonly identifying: readonly ChunkSummary[]
  /** chunks of all times for computed properties; empty if the query needs none */
  readonly history: readonly ChunkSummary[]
  /** deadline, by `monotonicMs`: waiting and a late start count against it */
  readonly until: number
  /** a value other than 0 in its only slot ends the query */
  readonly stop: SharedArrayBuffer
  /** ports to the threads that scan the query's other lanes; this thread merges their results */
  readonly others: readonly MessagePort[]
  /** port to the merging thread, if this job is one of the others */
  readonly leader?: MessagePort
}

/** A job without the parts that the pool adds: deadline, stop flag and the links of a split query. */
export type WorkerJob = Omit<QueryJob, 'until' | 'stop' | 'others' | 'leader'>

/** The columns of a chunk that a thread needs. */
export interface ColumnFetch {
  readonly summary: ChunkSummary
  readonly names: readonly string[]
}
export type Cells = ReadonlyMap<string, Uint8Array>

/** The progress of a query, in rows. */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** A request of a thread during a job; a `Reply` with the same id answers it. */
export type WorkerRequest =
  | { readonly ask: 'cells'; readonly fetches: readonly ColumnFetch[] }
  | { readonly ask: 'known'; readonly identities: string }
  | { readonly ask: 'take'; readonly bytes: Uint8Array }
/** The answer to a request. `undefined` ends the job: it was cancelled, or its answer is known already. */
export interface Reply {
  readonly id: number
  readonly answer: readonly Cells[] | 'go on' | 'pause' | undefined
}

/** Outcome of a job: its result as JSON, none because it is no longer needed, or an error. */
export type JobOutcome =
  | { readonly kind: 'finished'; readonly json: Uint8Array }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: unknown }

export type ToThread = { readonly job: QueryJob } | { readonly reply: Reply }
export type FromThread =
  | ({ readonly id: number } & WorkerRequest)
  | { readonly progress: Progress }
  | { readonly result: Uint8Array }
  | { readonly over: true }
  | { readonly error: { readonly code?: string; readonly message: string; readonly details?: unknown } }

/** Returns milliseconds on a clock that all threads of the process share; `performance.now()` restarts in each. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
