import type { ChunkSummary, EventRequest, EventResult, FunnelRequest, FunnelResult, JourneyRequest, JourneyResult, RetentionRequest, RetentionResult } from '@hopper/contracts'
import type { QueryContext } from '@hopper/engine'

/** A question for the archive, ready to run. */
export type Question =
  | { readonly kind: 'funnel'; readonly request: FunnelRequest }
  | { readonly kind: 'journeys'; readonly request: JourneyRequest }
  | { readonly kind: 'retention'; readonly request: RetentionRequest }
  | { readonly kind: 'events'; readonly request: EventRequest }

export interface Results {
  readonly funnel: FunnelResult
  readonly journeys: JourneyResult
  readonly retention: RetentionResult
  readonly events: EventResult
}

/** A chunk with the columns that were fetched of it. */
export interface FetchedChunk {
  readonly summary: ChunkSummary
  readonly columns: ReadonlyMap<string, Uint8Array>
}

/** What the thread of queries is given: everything it needs, as plain data. */
export interface QueryJob {
  readonly question: Question
  readonly app: string
  readonly context: QueryContext
  readonly chunks: readonly FetchedChunk[]
  /** chunks of all times that say who a device belongs to; empty when nobody asks */
  readonly identifying: readonly FetchedChunk[]
  readonly limitMs: number
}

export type QueryReply = { readonly result: unknown } | { readonly error: { readonly code?: string; readonly message: string } }
