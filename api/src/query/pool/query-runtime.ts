import type { Budget, Chunk, KeyTally, PutPlaces } from '@hopper/engine'
import type { BoundedMap } from '../sharing/bounded-map.ts'
import type { SendRequest, ChunkSource } from '../chunk-source.ts'
import type { KnownIdentities } from '../known-identities.ts'
import type { KnownPeople } from '../known-people.ts'
import type { Progress } from './query-job.ts'

/** Outcome of a query: its result, or unneeded because the main thread has the answer already. */
export type QuestionOutcome = { readonly kind: 'answered'; readonly result: unknown } | { readonly kind: 'unneeded' }

/** The resources of a query in its thread. */
export interface QueryRuntime {
  readonly source: ChunkSource
  readonly identities: KnownIdentities
  readonly people: KnownPeople
  /** cached tallies of whole chunks */
  readonly tallies: BoundedMap<readonly KeyTally[]>
  /** cached places of the put events of whole chunks */
  readonly putPlaces: BoundedMap<PutPlaces>
  /** the chunk that an export read last */
  readonly exported: { name?: string; chunk?: Chunk }
  readonly budget: Budget
  readonly sendRequest: SendRequest
  readonly progress: (progress: Progress) => void
}
