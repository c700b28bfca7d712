import type { MessagePort } from 'node:worker_threads'
import type { ChunkSummary } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'
import type { Query } from '../query.ts'

/** What a thread of queries is given: everything but the columns, which it asks for, as plain data. */
export interface QueryJob {
  readonly question: Query
  readonly app: string
  readonly context: QueryContext
  /** the chunks of the range; the thread picks those that may matter by their values of the keys that filters name */
  readonly chunks: readonly ChunkSummary[]
  /** chunks of all times that say who a device belongs to; empty when nobody asks */
  readonly identifying: readonly ChunkSummary[]
  /** when its time is over, by `monotonicMs`: a thread that starts late, or comes to it late, has less time */
  readonly until: number
  /** another number than 0 at its only place ends the query */
  readonly stop: SharedArrayBuffer
  /** to the threads that scan the other lanes of the question; this one merges what they find */
  readonly others: readonly MessagePort[]
  /** when this is one of the others: to the thread that merges */
  readonly leader?: MessagePort
}

/** What a job is without its time, its stop and what it is a part of, which the pool gives it. */
export type WorkerJob = Omit<QueryJob, 'until' | 'stop' | 'others' | 'leader'>

/** Columns of a chunk that a thread needs. */
export interface ColumnFetch {
  readonly summary: ChunkSummary
  readonly names: readonly string[]
}
export type Cells = ReadonlyMap<string, Uint8Array>

/** How far a query is, in rows. */
export interface Progress {
  readonly done: number
  readonly total: number
}

/** What a thread asks while it runs a job; each is answered by a `Reply` of its number. */
export type WorkerRequest =
  | { readonly ask: 'cells'; readonly wants: readonly ColumnFetch[] }
  | { readonly ask: 'known'; readonly identities: string }
  | { readonly ask: 'take'; readonly bytes: Uint8Array }
/** `undefined` = the thread shall end the job: it is over, or its answer is known already. */
export interface Reply {
  readonly id: number
  readonly answer: readonly Cells[] | 'go on' | 'pause' | undefined
}
export type ToThread = { readonly job: QueryJob } | { readonly reply: Reply }
export type FromThread =
  | ({ readonly id: number } & WorkerRequest)
  | { readonly progress: Progress }
  | { readonly result: Uint8Array }
  | { readonly over: true }
  | { readonly error: { readonly code?: string; readonly message: string; readonly details?: unknown } }

/** Milliseconds on a clock that all threads of the process share; `performance.now()` begins anew in each. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
